// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Transposes and broadcasts cost nothing if the labels of a contraction, or the axes of a reduction, express them.
// After this pass no contraction reads a permute or a broadcast, no permute follows a contraction that has no other
// reader, and consecutive moves of one kind are merged.
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/optimize/passes.h"
#include <algorithm>

namespace gradc {
namespace {

bool contains(const std::vector<int>& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

/// An operand of a contraction with the label of each of its axes.
struct Operand {
    NodeId node;
    std::vector<int> labels;
};

void look_through_permute(const Graph& graph, Operand& operand) {
    const std::vector<int>& axes = attribute<Axes>(graph[operand.node]).axes;
    std::vector<int> labels(axes.size());
    for (size_t i = 0; i < axes.size(); ++i) labels[axes[i]] = operand.labels[i];
    operand = {graph[operand.node].inputs[0], labels};
}

/// Removes a broadcast if the other operand has the labels of all its new axes. Axes that it stretches from size 1
/// stay: the size-1 axis would need a label of its own.
bool look_through_broadcast(const Graph& graph, Operand& operand, const Operand& other, const std::vector<int>& out) {
    const Node& node = graph[operand.node];
    NodeId input = node.inputs[0];
    const std::vector<int>& axes = attribute<Axes>(node).axes;
    std::vector<int> labels;
    for (size_t i = 0; i < axes.size(); ++i) {
        if (graph.type(input).shape[i] != node.type.shape[axes[i]]) return false;
        labels.push_back(operand.labels[axes[i]]);
    }
    for (int label : operand.labels)
        if (!contains(labels, label) && !(contains(other.labels, label) && contains(out, label))) return false;
    operand = {input, labels};
    return true;
}

bool simplify_operand(const Graph& graph, Operand& operand, const Operand& other, const std::vector<int>& out) {
    switch (graph[operand.node].op) {
    case Op::permute: look_through_permute(graph, operand); return true;
    case Op::broadcast: return look_through_broadcast(graph, operand, other, out);
    default: return false;
    }
}

NodeId sink_into_contract(Graph& target, const Node& node, const std::vector<NodeId>& inputs) {
    Contract labels = attribute<Contract>(node);
    Operand left{inputs[0], labels.left}, right{inputs[1], labels.right};
    bool changed = false;
    while (simplify_operand(target, left, right, labels.out) || simplify_operand(target, right, left, labels.out))
        changed = true;
    if (!changed) return NodeId::none;
    return build::contract(target, left.node, right.node, {left.labels, right.labels, labels.out}, node.span);
}

/// sum(permute(x)) = permute(sum(x)); the remaining permute is dropped when it keeps the order.
NodeId sink_into_sum(Graph& target, const Node& node, NodeId input) {
    if (target[input].op != Op::permute) return NodeId::none;
    const std::vector<int>& order = attribute<Axes>(target[input]).axes;
    std::vector<int> axes, kept;
    for (int axis = 0; axis < int(order.size()); ++axis)
        (contains(attribute<Axes>(node).axes, axis) ? axes : kept).push_back(order[axis]);
    std::vector<int> sorted = kept, permutation;
    std::sort(sorted.begin(), sorted.end());
    for (int axis : kept) permutation.push_back(int(std::find(sorted.begin(), sorted.end(), axis) - sorted.begin()));
    NodeId source = target[input].inputs[0];
    NodeId reduced = node.op == Op::sum ? build::sum(target, source, axes, node.span)
                                        : build::max_of(target, source, axes, node.span);
    return build::permute(target, reduced, permutation, node.span);
}

NodeId join_moves(Graph& target, const Node& node, NodeId input, const std::vector<int>& uses) {
    const Node& inner = target[input];
    if (node.op == Op::reshape && inner.op == Op::reshape)
        return build::reshape(target, inner.inputs[0], node.type.shape, node.span);
    if (node.op != Op::permute) return NodeId::none;
    const std::vector<int>& outer = attribute<Axes>(node).axes;
    if (inner.op == Op::permute) {
        std::vector<int> axes;
        for (int axis : outer) axes.push_back(attribute<Axes>(inner).axes[axis]);
        return build::permute(target, inner.inputs[0], axes, node.span);
    }
    if (inner.op == Op::contract && uses[index(node.inputs[0])] == 1) {
        Contract labels = attribute<Contract>(inner), moved = labels;
        for (size_t i = 0; i < outer.size(); ++i) moved.out[i] = labels.out[outer[i]];
        return build::contract(target, inner.inputs[0], inner.inputs[1], moved, inner.span);
    }
    return NodeId::none;
}

std::vector<int> count_uses(const Graph& graph) {
    std::vector<int> uses(graph.size());
    std::vector<NodeId> roots;
    for (const Output& output : graph.outputs) {
        roots.push_back(output.node);
        ++uses[index(output.node)];
    }
    for (NodeId id : reachable(graph, roots))
        for (NodeId input : graph[id].inputs) ++uses[index(input)];
    return uses;
}

} // namespace

Graph sink_moves(const Graph& graph, const PassContext&) {
    std::vector<int> uses = count_uses(graph);
    return rebuild(graph, [&](Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
        const Node& node = graph[old];
        switch (node.op) {
        case Op::contract: return sink_into_contract(target, node, inputs);
        case Op::sum:
        case Op::max_of: return sink_into_sum(target, node, inputs[0]);
        case Op::reshape:
        case Op::permute: return join_moves(target, node, inputs[0], uses);
        default: return NodeId::none;
        }
    });
}

} // namespace gradc
