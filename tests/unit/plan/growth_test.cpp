// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The steps of planning grow as n log n: counted, not timed. And chains of 20,000 nodes, which would fail with
// recursion, or take hours with a search of the program for each node.
#include "compiler/graph/build.h"
#include "compiler/plan/plan.h"
#include "tests/support/derivatives.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc;
using build::elementwise;

namespace {

NodeId field(Graph& graph, Shape shape) {
    return graph.add(Op::input, {Dtype::f32, std::move(shape)}, {}, Input{Input::Source::field, "x", 0, -1});
}
NodeId number(Graph& graph, double value) { return build::constant(graph, value); }

/// Rows of x less their mean, by their standard deviation.
NodeId normalized(Graph& graph, NodeId x, int64_t width) {
    auto mean = [&](NodeId of) {
        NodeId sum = elementwise(graph, Primitive::divide, {build::sum(graph, of, {1}), number(graph, double(width))});
        return build::broadcast(graph, sum, {rows, width}, {0});
    };
    NodeId centered = elementwise(graph, Primitive::subtract, {x, mean(x)});
    NodeId variance = mean(elementwise(graph, Primitive::multiply, {centered, centered}));
    NodeId positive = elementwise(graph, Primitive::add, {variance, number(graph, 1e-5)});
    return elementwise(graph, Primitive::divide, {centered, elementwise(graph, Primitive::sqrt, {positive})});
}

/// A training step of h + relu(normalized(h W + b)), `blocks` times over, the loss the mean square of the last.
Graph residual_step(int blocks) {
    constexpr int64_t width = 64;
    Graph graph(tested_primitives());
    std::vector<std::pair<std::string, NodeId>> parameters;
    auto parameter = [&](const std::string& name, Shape shape) {
        parameters.push_back({name, build::variable(graph, name, {Dtype::f32, std::move(shape)})});
        return parameters.back().second;
    };
    NodeId h = field(graph, {rows, width});
    for (int i = 0; i < blocks; ++i) {
        NodeId w = parameter("w" + std::to_string(i), {width, width}), b = parameter("b" + std::to_string(i), {width});
        NodeId z = elementwise(graph, Primitive::add, {build::contract(graph, h, w, {{0, 1}, {1, 2}, {0, 2}}), b});
        NodeId relu = elementwise(graph, Primitive::maximum, {normalized(graph, z, width), number(graph, 0)});
        h = elementwise(graph, Primitive::add, {h, relu});
    }
    NodeId loss = build::sum(graph, elementwise(graph, Primitive::multiply, {h, h}), {0, 1});
    std::vector<NodeId> leaves;
    for (const auto& [name, leaf] : parameters) leaves.push_back(leaf);
    std::vector<NodeId> gradients = gradient(graph, loss, leaves, TestedRules{});
    graph.outputs = {{"loss", loss}};
    for (size_t i = 0; i < leaves.size(); ++i) {
        NodeId step = elementwise(graph, Primitive::multiply, {gradients[i], number(graph, 0.01)});
        NodeId next = elementwise(graph, Primitive::subtract, {leaves[i], step});
        graph.outputs.push_back({parameters[i].first, build::assign(graph, parameters[i].first, next)});
    }
    return graph;
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
