// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A residual net of any depth with its gradient and updates: what tests of growth compile.
#pragma once
#include "compiler/graph/build.h"
#include "tests/support/derivatives.h"

namespace gradc {

namespace residual {

using build::elementwise;

inline NodeId number(Graph& graph, double value) { return build::constant(graph, value); }

/// Rows of x less their mean, by their standard deviation.
inline NodeId normalized(Graph& graph, NodeId x, int64_t width) {
    auto mean = [&](NodeId of) {
        NodeId sum = elementwise(graph, Primitive::divide, {build::sum(graph, of, {1}), number(graph, double(width))});
        return build::broadcast(graph, sum, {rows, width}, {0});
    };
    NodeId centered = elementwise(graph, Primitive::subtract, {x, mean(x)});
    NodeId variance = mean(elementwise(graph, Primitive::multiply, {centered, centered}));
    NodeId positive = elementwise(graph, Primitive::add, {variance, number(graph, 1e-5)});
    return elementwise(graph, Primitive::divide, {centered, elementwise(graph, Primitive::sqrt, {positive})});
}

} // namespace residual

/// A training step of h + relu(normalized(h W + b)), `blocks` times over, the loss the mean square of the last.
inline Graph residual_step(int blocks) {
    using namespace residual;
    constexpr int64_t width = 64;
    Graph graph(tested_primitives());
    std::vector<std::pair<std::string, NodeId>> parameters;
    auto parameter = [&](const std::string& name, Shape shape) {
        parameters.push_back({name, build::variable(graph, name, {Dtype::f32, std::move(shape)})});
        return parameters.back().second;
    };
    NodeId h = graph.add(Op::input, {Dtype::f32, {rows, width}}, {}, Input{Input::Source::field, "x", 0, -1});
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

} // namespace gradc
