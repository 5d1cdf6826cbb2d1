// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All passes on chains of 200,000 nodes, and on a deep linear network.
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include "compiler/graph/rewrite.h"
#include "compiler/optimize/optimize.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

NodeId field(Graph& graph, Shape shape) {
    return graph.add(Op::input, {Dtype::f32, std::move(shape)}, {}, Input{Input::Source::field, "x", 0, -1});
}

} // namespace

TEST_CASE("a chain of 200,000 additions is unchanged") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId y = field(graph, {rows, 4});
    for (int i = 0; i < 100'000; ++i) { // each with its broadcast
        NodeId shift = build::variable(graph, "w" + std::to_string(i), {Dtype::f32, {4}});
        y = build::elementwise(graph, Primitive::add, {y, shift});
    }
    graph.outputs = {{"y", y}};
    Graph after = optimize(graph, {});
    CHECK(after.size() == graph.size());
}

TEST_CASE("a deep linear network becomes a few products of weights") {
    constexpr int layers = 600;
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId y = field(graph, {rows, 3});
    Environment environment;
    environment.rows = 50;
    environment.fields["x"] = {{50, 3}, std::vector<double>(150, 1)};
    for (int i = 0; i < layers; ++i) {
        std::string number = std::to_string(i);
        NodeId weight = build::variable(graph, "w" + number, {Dtype::f32, {3, 3}});
        NodeId bias = build::variable(graph, "b" + number, {Dtype::f32, {3}});
        y = build::elementwise(graph, Primitive::add,
                               {build::contract(graph, y, weight, {{0, 1}, {1, 2}, {0, 2}}), bias});
        environment.variables["w" + number] = {{3, 3}, {0, 1, 0, 0, 0, 1, 0.5, 0.25, 0.25}};
        environment.variables["b" + number] = {{3}, {0.5, -0.25, -0.25}};
    }
    graph.outputs = {{"y", y}};
    OptimizeOptions options;
    options.context.batch = 50;
    Graph after = optimize(graph, options);
    int with_rows = 0;
    std::vector<NodeId> roots{after.outputs[0].node};
    for (NodeId id : reachable(after, roots)) with_rows += after[id].op == Op::contract && after.type(id).has_rows();
    CHECK(with_rows <= layers / 10);
    double expected = evaluate(graph, environment)[0].values[7], found = evaluate(after, environment)[0].values[7];
    CHECK(found == Approx(expected).epsilon(1e-6));
}
