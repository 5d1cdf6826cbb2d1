// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Masks are recorded beside the gradients, not recognised in them. Only the derivative of a select makes one, so a
// select inside another derivative (of the maximum of two numbers) costs nothing.
#include "compiler/gradient/mask.h"
#include "compiler/gradient/transpose.h"
#include "compiler/graph/build.h"
#include <algorithm>
#include <cmath>

namespace gradc {

MaskId Masks::add(const Mask& mask) {
    auto [known, fresh] = known_.emplace(mask, MaskId(masks_.size()));
    if (fresh) masks_.push_back(mask), built_.push_back(NodeId::none);
    return known->second;
}

MaskId Masks::of_select(NodeId condition, bool taken) { return add({condition, taken}); }

MaskId Masks::moved(NodeId node, MaskId inner) {
    if (inner == MaskId::none) return inner;
    switch (graph_[node].op) {
    case Op::cast:
    case Op::custom_gradient: return inner;
    case Op::sum:
    case Op::max_of:
    case Op::reshape:
    case Op::permute:
    case Op::broadcast:
    case Op::pad: return add({NodeId::none, true, node, inner});
    case Op::slice:
        for (int64_t step : attribute<Slice>(graph_[node]).step)
            if (std::abs(step) != 1) return MaskId::none;
        return add({NodeId::none, true, node, inner});
    default: return MaskId::none;
    }
}

MaskId Masks::both(MaskId a, MaskId b) {
    if (a == MaskId::none || b == MaskId::none) return a == MaskId::none ? b : a;
    return add({NodeId::none, true, NodeId::none, a, b});
}

namespace {

NodeId carried_back(Graph& graph, NodeId move, NodeId condition) {
    const Node& node = graph[move];
    const Shape& in = graph.type(node.inputs[0]).shape;
    switch (node.op) {
    case Op::max_of:
    case Op::sum: {
        std::vector<int> kept;
        const auto& axes = attribute<Axes>(node).axes;
        for (int i = 0; i < int(in.size()); ++i)
            if (std::find(axes.begin(), axes.end(), i) == axes.end()) kept.push_back(i);
        return build::broadcast(graph, condition, in, std::move(kept), node.span);
    }
    case Op::broadcast: { // a sum of gradients may be other than zero where one of them may
        const auto& axes = attribute<Axes>(node).axes;
        std::vector<int> gone;
        for (int i = 0; i < node.type.rank(); ++i) {
            auto at = std::find(axes.begin(), axes.end(), i);
            if (at == axes.end() || in[size_t(at - axes.begin())] != node.type.shape[size_t(i)]) gone.push_back(i);
        }
        return build::reshape(graph, build::max_of(graph, condition, std::move(gone), node.span), in, node.span);
    }
    default: return transposed(graph, move, 0, condition);
    }
}

/// A constant c such that 0 * c and 0 / c are 0: finite and not zero.
bool harmless(const Graph& graph, NodeId id) {
    while (kind(graph[id].op) == Kind::move && graph[id].op != Op::pad) id = graph[id].inputs[0];
    if (graph[id].op != Op::constant) return false;
    for (double value : attribute<Constant>(graph[id]).values)
        if (!std::isfinite(value) || value == 0) return false;
    return true;
}

bool keeps_zeros(const Graph& graph, NodeId derivative, NodeId gradient) {
    for (NodeId id = derivative; id != gradient;) {
        const Node& node = graph[id];
        if (node.op != Op::elementwise) return false;
        switch (attribute<Elementwise>(node).primitive) {
        case Primitive::negate: id = node.inputs[0]; break;
        case Primitive::multiply: {
            bool left = harmless(graph, node.inputs[0]);
            if (!left && !harmless(graph, node.inputs[1])) return false;
            id = node.inputs[left ? 1 : 0];
            break;
        }
        case Primitive::divide:
            if (!harmless(graph, node.inputs[1])) return false;
            id = node.inputs[0];
            break;
        default: return false;
        }
    }
    return true;
}

} // namespace

NodeId Masks::build_one(const Mask& mask) {
    if (mask.other != MaskId::none)
        return build::elementwise(graph_, Primitive::logical_and, {built(mask.inner), built(mask.other)});
    if (mask.inner != MaskId::none) return carried_back(graph_, mask.move, built(mask.inner));
    if (mask.taken) return mask.condition;
    return build::elementwise(graph_, Primitive::logical_not, {mask.condition}, graph_[mask.condition].span);
}

NodeId Masks::build(MaskId id) {
    std::vector<MaskId> waiting{id};
    while (!waiting.empty()) {
        MaskId next = waiting.back();
        const Mask& mask = masks_[size_t(next)];
        if (waits(mask.inner)) waiting.push_back(mask.inner);
        else if (waits(mask.other)) waiting.push_back(mask.other);
        else {
            if (waits(next)) built_[size_t(next)] = build_one(mask);
            waiting.pop_back();
        }
    }
    return built(id);
}

NodeId Masks::masked(NodeId derivative, NodeId gradient, MaskId mask) {
    if (mask == MaskId::none || keeps_zeros(graph_, derivative, gradient)) return derivative;
    const Type& type = graph_.type(derivative);
    Span span = graph_[derivative].span;
    NodeId zero = build::constant(graph_, 0, type.dtype, {}, span);
    return build::elementwise(graph_, Primitive::select, {build(mask), derivative, zero}, span);
}

} // namespace gradc
