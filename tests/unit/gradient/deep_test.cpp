// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The gradient of a chain of 200,000 nodes, and a mask as deep as the chain.
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include "compiler/graph/rewrite.h"
#include "tests/support/derivatives.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("the side that is not taken adds nothing, below 200,000 selects") {
    Graph graph(tested_primitives());
    auto number = [&](double value) { return build::constant(graph, value, Dtype::f64); };
    NodeId x = build::variable(graph, "x", {Dtype::f64, {}}), zero = number(0);
    NodeId positive = build::elementwise(graph, Primitive::less, {zero, x});
    NodeId y = build::elementwise(graph, Primitive::sqrt, {x});
    for (int i = 0; i < 100'000; ++i) {
        y = build::elementwise(graph, Primitive::select, {positive, y, zero});
        y = build::elementwise(graph, Primitive::negate, {y});
    }
    NodeId g = gradient(graph, y, {x}, TestedRules{})[0];
    REQUIRE(g != NodeId::none);
    Graph alone = extract(graph, {{"g", g}});
    for (auto [at, slope] : {std::pair(4.0, 0.25), std::pair(0.0, 0.0)}) { // sqrt has no slope at 0
        Environment environment;
        environment.variables["x"] = {{}, {at}};
        CHECK(evaluate(alone, environment)[0].values[0] == slope);
    }
}
