// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Long chains cost memory and nothing else: 200,000 nodes through all functions that read a graph. Recursion along the
// chain would overflow the stack, and a search for each node would take hours.
#include "compiler/graph/analysis.h"
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include "compiler/graph/print.h"
#include "compiler/graph/ranges.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/scan.h"
#include "compiler/graph/verify.h"
#include "tests/support/derivatives.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

constexpr int deep = 200'000;

/// x + 1 - 1 + 1 - 1 ..
Graph chain() {
    Graph graph(tested_primitives());
    NodeId x = build::variable(graph, "x", {Dtype::f32, {2}}), one = build::constant(graph, 1, Dtype::f32, {2});
    for (int i = 0; i < deep; ++i)
        x = build::elementwise(graph, i % 2 ? Primitive::subtract : Primitive::add, {x, one});
    graph.outputs = {{"y", x}};
    return graph;
}

} // namespace

TEST_CASE("a deep graph is checked, ordered, copied, printed, read back and evaluated") {
    Graph graph = chain();
    NodeId end = graph.outputs[0].node;
    CHECK(verify(graph).empty());
    CHECK(topological_order(graph, {end}).size() == deep + 2);
    CHECK(rebuild(graph, {}).size() == graph.size());
    std::string text = print(graph), error;
    auto read = parse_graph(text, graph.shared_primitives(), error);
    REQUIRE(read);
    CHECK(print(*read) == text);
    Environment environment;
    environment.variables["x"] = {{2}, {3, 4}};
    CHECK(evaluate(graph, environment)[0].values == std::vector<double>{3, 4});
    CHECK(formula(graph, end).size() < 200);
}

TEST_CASE("a formula leaves out any number of broadcasts") {
    Graph graph(tested_primitives());
    Type type{Dtype::f32, {2}};
    NodeId x = build::elementwise(graph, Primitive::negate, {build::variable(graph, "x", type)}), end = x;
    for (int i = 0; i < deep; ++i) end = graph.add(Op::broadcast, type, {end}, Axes{{0}});
    CHECK(formula(graph, end) == "-x");
}

TEST_CASE("the range of an integer below a deep graph is found") {
    Graph graph(tested_primitives());
    NodeId one = build::constant(graph, 1, Dtype::i32, {4}), x = build::iota(graph, {4}, 0);
    for (int i = 0; i < deep; ++i) x = build::elementwise(graph, Primitive::add, {x, one});
    Range range = IntegerRanges(graph)(x);
    CHECK(range.low == deep);
    CHECK(range.high == deep + 3);
}

TEST_CASE("carries that depend on each other are kept, in one walk over the body") {
    constexpr size_t carries = 4000;
    Graph graph(tested_primitives()), body(tested_primitives());
    Type type{Dtype::f32, {}};
    std::vector<NodeId> initial;
    for (size_t i = 0; i < carries; ++i) {
        NodeId next = carry_input(body, (i + 1) % carries, type);
        body.outputs.push_back({"", build::elementwise(body, Primitive::negate, {next})});
        initial.push_back(build::constant(graph, double(i)));
    }
    auto parts = build::scan(graph, std::move(body), initial, {}, 3, false);
    graph.outputs = {{"y", parts[0]}};
    Graph pruned = prune_scans(graph);
    CHECK(pruned.body(0).outputs.size() == carries);
    CHECK(evaluate(pruned, {})[0].values == std::vector<double>{-3});
}
