// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A condition is worth a branch if on one of its sides some store writes back the old value;
// conditions are settled one after another, outermost select first.
#include "compiler/program/branches.h"

namespace gradc {

using loop::ValueId;

NodeId uniform_condition(const Graph& graph, NodeId condition) {
    while (graph[condition].op == Op::broadcast) condition = graph[condition].inputs[0];
    return graph.type(condition).shape.empty() ? condition : NodeId::none;
}

void Branches::run(const std::function<void()>& body, int conditions) {
    NodeId condition = conditions > 0 ? next_condition() : NodeId::none;
    if (condition == NodeId::none) return body();
    Emitter& emit = values_.emit;
    emit.open_branch(values_.value(condition, {}));
    for (bool outcome : {true, false}) {
        auto before = values_.settle(condition, outcome);
        run(body, conditions - 1);
        values_.unsettle(condition, std::move(before));
        if (outcome) emit.open_otherwise();
    }
    emit.close_branch();
}

NodeId Branches::next_condition() const {
    const Graph& graph = program_.flat.graph;
    for (const Stage& stage : kernel_.stages)
        for (const Member& member : stage.members)
            for (const Storage& place : member.stores) {
                NodeId node = values_.settled(member.node);
                if (member.copies || !may_stay(node, place)) continue;
                if (graph[node].op == Op::elementwise) return uniform_condition(graph, graph[node].inputs[0]);
            }
    return NodeId::none;
}

/// True if under some outcome the node equals the value stored at `place`.
bool Branches::may_stay(NodeId id, const Storage& place) const {
    const Graph& graph = program_.flat.graph;
    std::vector<NodeId> waiting{id};
    std::set<NodeId> seen;
    while (!waiting.empty()) {
        NodeId next = values_.settled(waiting.back());
        waiting.pop_back();
        if (!seen.insert(next).second) continue;
        if (values_.lies_at(next, place)) return true;
        const Node& node = graph[next];
        if (node.op != Op::elementwise || attribute<Elementwise>(node).primitive != Primitive::select) continue;
        if (uniform_condition(graph, node.inputs[0]) == NodeId::none) continue;
        waiting.insert(waiting.end(), node.inputs.begin() + 1, node.inputs.end());
    }
    return false;
}

} // namespace gradc
