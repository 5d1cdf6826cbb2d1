// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each case transposes the op's matrix: elements that the op copies get the sum of their copies' gradients, elements
// that it drops get zero.
#include "compiler/gradient/transpose.h"
#include "compiler/graph/build.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <numeric>

namespace gradc {

namespace {

std::vector<int> axes_left(const std::vector<int>& removed, int rank) {
    std::vector<int> result;
    for (int i = 0; i < rank; ++i)
        if (std::find(removed.begin(), removed.end(), i) == removed.end()) result.push_back(i);
    return result;
}

NodeId stretched(Graph& graph, const Node& node,
                 NodeId x) { // a reduction's result, broadcast to the shape of its input
    const Type& in = graph.type(node.inputs[0]);
    return build::broadcast(graph, x, in.shape, axes_left(attribute<Axes>(node).axes, in.rank()), node.span);
}

/// The largest elements share the gradient in equal parts. NaN equals no number, so it gets no gradient.
NodeId of_largest(Graph& graph, NodeId id, NodeId gradient) {
    const Node& node = graph[id];
    NodeId x = node.inputs[0];
    const auto& axes = attribute<Axes>(node).axes;
    NodeId is_largest = build::elementwise(graph, Primitive::equal, {x, stretched(graph, node, id)}, node.span);
    NodeId number = build::sum(graph, build::cast(graph, is_largest, node.type.dtype, node.span), axes, node.span);
    NodeId share = build::elementwise(graph, Primitive::divide, {gradient, number}, node.span);
    NodeId zero = build::constant(graph, 0, node.type.dtype, {}, node.span);
    return build::elementwise(graph, Primitive::select, {is_largest, stretched(graph, node, share), zero}, node.span);
}

NodeId of_broadcast(Graph& graph, const Node& node, NodeId gradient) {
    const Shape& in = graph.type(node.inputs[0]).shape;
    const auto& axes = attribute<Axes>(node).axes;
    std::vector<int> kept;
    for (size_t i = 0; i < axes.size(); ++i)
        if (in[i] == node.type.shape[size_t(axes[i])]) kept.push_back(axes[i]);
    NodeId total = build::sum(graph, gradient, axes_left(kept, node.type.rank()), node.span);
    return build::reshape(graph, total, in, node.span); // puts stretched axes back as axes of 1
}

NodeId of_permute(Graph& graph, const Node& node, NodeId gradient) {
    const auto& axes = attribute<Axes>(node).axes;
    std::vector<int> inverse(axes.size());
    for (size_t i = 0; i < axes.size(); ++i) inverse[size_t(axes[i])] = int(i);
    return build::permute(graph, gradient, std::move(inverse), node.span);
}

/// Puts the elements `step` apart along an axis, with zeros between them.
NodeId spread(Graph& graph, NodeId x, size_t axis, int64_t step, Span span) {
    Shape shape = graph.type(x).shape;
    int64_t size = shape[axis];
    shape.insert(shape.begin() + long(axis) + 1, 1);
    x = build::reshape(graph, x, shape, span);
    shape[axis + 1] = step;
    x = build::pad(graph, x, std::vector<int64_t>(shape.size(), 0), shape, 0, span);
    shape.erase(shape.begin() + long(axis) + 1);
    shape[axis] = size * step;
    x = build::reshape(graph, x, shape, span);
    shape[axis] = (size - 1) * step + 1;
    size_t rank = shape.size();
    return build::slice(graph, x, std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 1), shape, span);
}

NodeId of_slice(Graph& graph, const Node& node, NodeId gradient) {
    const auto& [start, step] = attribute<Slice>(node);
    std::vector<int64_t> first(start.size(), 0), strides(start.size(), 1), before = start;
    for (size_t i = 0; i < start.size(); ++i)
        if (step[i] < 0) { // a slice in reverse: the gradient is reversed first
            strides[i] = -1;
            first[i] = node.type.shape[i] - 1;
            before[i] = start[i] + (node.type.shape[i] - 1) * step[i];
        }
    NodeId x = build::slice(graph, gradient, first, strides, node.type.shape, node.span);
    for (size_t i = 0; i < start.size(); ++i)
        if (std::abs(step[i]) > 1 && node.type.shape[i] > 1) x = spread(graph, x, i, std::abs(step[i]), node.span);
    return build::pad(graph, x, before, graph.type(node.inputs[0]).shape, 0, node.span);
}

NodeId of_contract(Graph& graph, const Node& node, int position, NodeId gradient) {
    const auto& [left, right, out] = attribute<Contract>(node);
    if (position == 0) return build::contract(graph, gradient, node.inputs[1], {out, right, left}, node.span);
    return build::contract(graph, node.inputs[0], gradient, {left, out, right}, node.span);
}

} // namespace

NodeId transposed(Graph& graph, NodeId id, int position, NodeId gradient) {
    const Node& node = graph[id];
    const Type& in = graph.type(node.inputs[size_t(position)]);
    switch (node.op) {
    case Op::cast: return build::cast(graph, gradient, in.dtype, node.span);
    case Op::sum: return stretched(graph, node, gradient);
    case Op::max_of: return of_largest(graph, id, gradient);
    case Op::reshape: return build::reshape(graph, gradient, in.shape, node.span);
    case Op::permute: return of_permute(graph, node, gradient);
    case Op::broadcast: return of_broadcast(graph, node, gradient);
    case Op::slice: return of_slice(graph, node, gradient);
    case Op::pad:
        return build::slice(graph, gradient, attribute<Pad>(node).before, std::vector<int64_t>(in.shape.size(), 1),
                            in.shape, node.span);
    case Op::window: {
        Window window = attribute<Window>(node);
        return build::fold(graph, gradient, window, in.shape[size_t(window.axis)], node.span);
    }
    case Op::fold: {
        Window window = attribute<Window>(node);
        size_t axis = size_t(window.axis);
        return build::window(graph, gradient, window, in.shape[axis], in.shape[axis + 1], node.span);
    }
    case Op::gather:
        return build::scatter(graph, gradient, node.inputs[1], attribute<Gather>(node), in.shape, node.span);
    case Op::scatter: return build::gather(graph, gradient, node.inputs[1], attribute<Gather>(node), node.span);
    case Op::contract: return of_contract(graph, node, position, gradient);
    default: throw InternalError("gradient", "no transpose of " + std::string(name(node.op)));
    }
}

} // namespace gradc
