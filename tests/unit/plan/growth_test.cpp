// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The steps of planning grow as n log n: counted, not timed. And chains of 20,000 nodes, which would fail with
// recursion, or take hours with a search of the program for each node.
#include "compiler/graph/build.h"
#include "compiler/plan/plan.h"
#include "tests/support/residual_step.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc;
using build::elementwise;

namespace {

NodeId field(Graph& graph, Shape shape) {
    return graph.add(Op::input, {Dtype::f32, std::move(shape)}, {}, Input{Input::Source::field, "x", 0, -1});
}
} // namespace

TEST_CASE("the steps of planning grow no faster than n log n") {
    for (int blocks : {25, 50, 100, 200, 400}) {
        Graph graph = residual_step(blocks);
        double n = double(graph.size()), scale = n * std::log2(n);
        Plan plan = make_plan({{"step", std::move(graph)}}, {"m", 32});
        int64_t own = plan.programs[0].steps, addresses = plan.steps - own;
        INFO(blocks << " blocks, " << n << " nodes, " << own << " steps, " << addresses << " for addresses");
        CHECK(own > int64_t(n));
        CHECK(double(own) < 12 * scale); // a quadratic pass would take twice the share at each size
        CHECK(double(addresses) < 220 * scale);
    }
}

TEST_CASE("a chain of 20,000 nodes is planned") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = field(graph, {rows, 64}), h = x;
    SECTION("of values that are each read twice") {
        for (int i = 0; i < 7000; ++i)
            h = elementwise(
                graph, Primitive::subtract,
                {elementwise(graph, Primitive::maximum, {h, x}), elementwise(graph, Primitive::minimum, {h, x})});
    }
    SECTION("of one formula") {
        for (int i = 0; i < 20'000; ++i)
            h = elementwise(graph, i % 2 ? Primitive::subtract : Primitive::maximum, {x, h});
    }
    SECTION("of moves") {
        for (int i = 0; i < 10'000; ++i) {
            h = build::reshape(graph, h, {rows, 4, 16});
            h = build::reshape(graph, build::permute(graph, h, {0, 2, 1}), {rows, 64});
        }
    }
    graph.outputs = {{"y", h}};
    CHECK(graph.size() > 20'000);
    Plan plan = make_plan({{"p", std::move(graph)}}, {"m", 8});
    CHECK(plan.programs[0].kernels.size() > 1);
}

TEST_CASE("an index formula that doubles at each step is read from memory") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId at = build::iota(graph, {4}, 0), x = build::variable(graph, "x", {Dtype::f32, {8}});
    for (int i = 0; i < 60; ++i)
        at = elementwise(graph, Primitive::subtract, {elementwise(graph, Primitive::add, {at, at}), at});
    graph.outputs = {{"y", build::gather(graph, x, at, {0, 0})}};
    CHECK(make_plan({{"p", std::move(graph)}}, {"m", 8}).programs[0].kernels.size() == 1);
}
