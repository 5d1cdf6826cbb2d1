// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nodes are copied in ascending order of ids, so inputs are copied before their readers, and long chains need no
// recursion.
#include "compiler/graph/rewrite.h"
#include "compiler/util/check.h"
#include <algorithm>

namespace gradc {

std::vector<NodeId> reachable(const Graph& graph, const std::vector<NodeId>& roots) {
    uint32_t end = 0;
    for (NodeId root : roots) end = std::max(end, index(root) + 1);
    std::vector<bool> seen(end, false);
    for (NodeId root : roots) seen[index(root)] = true;
    std::vector<NodeId> result;
    for (uint32_t i = end; i-- > 0;) { // inputs have smaller ids
        if (!seen[i]) continue;
        result.push_back(NodeId(i));
        for (NodeId input : graph[NodeId(i)].inputs) seen[index(input)] = true;
    }
    std::reverse(result.begin(), result.end());
    return result;
}

NodeId copy_node(const Graph& source, NodeId id, std::vector<NodeId> inputs, Graph& target) {
    const Node& node = source[id];
    Attributes attributes = node.attributes;
    if (auto* scan = std::get_if<Scan>(&attributes); scan && &source != &target)
        scan->body = target.add_body(source.shared_body(scan->body));
    OriginScope origin(target, node.origin);
    NodeId copy = target.add(node.op, node.type, std::move(inputs), std::move(attributes), node.span);
    if (!node.name.empty()) target.name_node(copy, node.name);
    return copy;
}

namespace {

/// The new ids of `old`; NodeId::none for nodes that were not copied.
std::vector<NodeId> renamed(const std::vector<NodeId>& old, const std::vector<NodeId>& to) {
    std::vector<NodeId> result;
    result.reserve(old.size());
    for (NodeId id : old) result.push_back(to[index(id)]);
    return result;
}

std::vector<NodeId> roots_of(const std::vector<Output>& outputs) {
    std::vector<NodeId> result;
    for (const Output& output : outputs) result.push_back(output.node);
    return result;
}

} // namespace

Graph rebuild(const Graph& graph, const Change& change) {
    Graph target(graph.shared_primitives());
    std::vector<NodeId> to(graph.size(), NodeId::none);
    for (NodeId id : reachable(graph, roots_of(graph.outputs))) {
        const Node& node = graph[id];
        auto inputs = renamed(node.inputs, to);
        OriginScope origin(target, node.origin);
        NodeId copy = change ? change(target, id, inputs) : NodeId::none;
        if (copy == NodeId::none) copy = copy_node(graph, id, std::move(inputs), target);
        else if (!node.name.empty()) target.name_node(copy, node.name);
        to[index(id)] = copy;
    }
    for (const Output& output : graph.outputs) target.outputs.push_back({output.name, to[index(output.node)]});
    return target;
}

Graph rewrite_everywhere(const Graph& graph, const std::function<Graph(const Graph&)>& pass) {
    std::unordered_map<uint32_t, std::shared_ptr<const Graph>> bodies;
    auto inside = [&](uint32_t number) {
        auto& body = bodies[number];
        if (!body) body = std::make_shared<const Graph>(rewrite_everywhere(graph.body(number), pass));
        return body;
    };
    if (graph.body_count() == 0) return pass(graph);
    return pass(rebuild(graph, [&](Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
        const Node& node = graph[old];
        if (node.op != Op::scan) return NodeId::none;
        Scan scan = attribute<Scan>(node);
        scan.body = target.add_body(inside(scan.body));
        return target.add(node.op, node.type, inputs, scan, node.span);
    }));
}

std::vector<NodeId> substitute(Graph& graph, const std::vector<NodeId>& roots,
                               const std::unordered_map<NodeId, NodeId>& replaced) {
    auto reached = reachable(graph, roots);
    uint32_t end = reached.empty() ? 0 : index(reached.back()) + 1;
    std::vector<NodeId> to(end, NodeId::none);
    for (NodeId id : reached) {
        auto found = replaced.find(id);
        if (found != replaced.end()) {
            to[index(id)] = found->second;
            continue;
        }
        auto inputs = renamed(graph[id].inputs, to);
        to[index(id)] = inputs == graph[id].inputs ? id : copy_node(graph, id, std::move(inputs), graph);
    }
    return renamed(roots, to);
}

Graph extract(const Graph& graph, std::vector<Output> outputs) {
    Graph target(graph.shared_primitives());
    auto copies = inline_graph(graph, roots_of(outputs), target, {});
    for (size_t i = 0; i < outputs.size(); ++i) outputs[i].node = copies[i];
    target.outputs = std::move(outputs);
    return target;
}

std::vector<NodeId> inline_graph(const Graph& source, const std::vector<NodeId>& roots, Graph& target,
                                 const std::unordered_map<NodeId, NodeId>& bound) {
    auto reached = reachable(source, roots);
    uint32_t end = reached.empty() ? 0 : index(reached.back()) + 1;
    std::vector<bool> needed(end, false); // nodes below bound ones are not needed
    for (NodeId root : roots) needed[index(root)] = true;
    for (auto id = reached.rbegin(); id != reached.rend(); ++id)
        if (needed[index(*id)] && !bound.count(*id))
            for (NodeId input : source[*id].inputs) needed[index(input)] = true;
    std::vector<NodeId> to(end, NodeId::none);
    for (NodeId id : reached) {
        if (!needed[index(id)]) continue;
        auto found = bound.find(id);
        to[index(id)] =
            found != bound.end() ? found->second : copy_node(source, id, renamed(source[id].inputs, to), target);
    }
    return renamed(roots, to);
}

} // namespace gradc
