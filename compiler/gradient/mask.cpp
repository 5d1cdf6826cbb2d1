// Masks are kept beside the gradients, not found in them: only `select` makes one, so that other
// uses of select (the largest of two numbers) cost nothing.
#include "compiler/gradient/mask.h"
#include "compiler/gradient/transpose.h"
#include "compiler/graph/build.h"
#include <algorithm>
#include <cmath>

namespace gradc {

struct Mask {
    NodeId condition = NodeId::none; // of a select
    bool taken = true;
    NodeId move = NodeId::none; // or the inner mask, carried back through this node
    MaskPointer inner = {};
    MaskPointer other = {};      // without a move: both inner and other hold
    NodeId built = NodeId::none; // bool, in the shape of the gradient: true where it counts
};

MaskPointer select_mask(NodeId condition, bool taken) { return std::make_shared<Mask>(Mask{condition, taken}); }

MaskPointer moved_mask(const Graph& graph, NodeId node, MaskPointer inner) {
    if (!inner) return nullptr;
    switch (graph[node].op) {
    case Op::cast:
    case Op::shield: return inner;
    case Op::sum:
    case Op::max_of:
    case Op::reshape:
    case Op::permute:
    case Op::broadcast:
    case Op::pad: return std::make_shared<Mask>(Mask{NodeId::none, true, node, std::move(inner)});
    case Op::slice:
        for (int64_t step : attribute<Slice>(graph[node]).step)
            if (std::abs(step) != 1) return nullptr;
        return std::make_shared<Mask>(Mask{NodeId::none, true, node, std::move(inner)});
    default: return nullptr;
    }
}

MaskPointer both_masks(MaskPointer a, MaskPointer b) {
    if (!a || !b) return a ? a : b;
    return std::make_shared<Mask>(Mask{NodeId::none, true, NodeId::none, std::move(a), std::move(b)});
}

static bool same_mask(const MaskPointer& a, const MaskPointer& b) {
    if (a == b) return true;
    return a && b && a->condition == b->condition && a->taken == b->taken && a->move == b->move &&
           same_mask(a->inner, b->inner) && same_mask(a->other, b->other);
}

MaskPointer common_mask(const MaskPointer& a, const MaskPointer& b) { return same_mask(a, b) ? a : nullptr; }

namespace {

NodeId build_mask(Graph& graph, Mask& mask);

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
    case Op::broadcast: { // a sum of gradients counts where any of them does
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

NodeId build_mask(Graph& graph, Mask& mask) {
    if (mask.built != NodeId::none) return mask.built;
    if (mask.other)
        mask.built =
            build::map(graph, Primitive::logical_and, {build_mask(graph, *mask.inner), build_mask(graph, *mask.other)});
    else if (mask.inner) mask.built = carried_back(graph, mask.move, build_mask(graph, *mask.inner));
    else if (mask.taken) mask.built = mask.condition;
    else mask.built = build::map(graph, Primitive::logical_not, {mask.condition}, graph[mask.condition].span);
    return mask.built;
}

/// A number that a zero can be multiplied or divided by and stay zero.
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
        if (node.op != Op::map) return false;
        switch (attribute<Map>(node).primitive) {
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

NodeId masked(Graph& graph, NodeId derivative, NodeId gradient, const MaskPointer& mask) {
    if (!mask || keeps_zeros(graph, derivative, gradient)) return derivative;
    const Type& type = graph.type(derivative);
    Span span = graph[derivative].span;
    NodeId zero = build::constant(graph, 0, type.element, {}, span);
    return build::map(graph, Primitive::select, {build_mask(graph, *mask), derivative, zero}, span);
}

} // namespace gradc
