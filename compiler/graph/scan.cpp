// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// build::scan also yields the carries at the start of each iteration, after the body's own yields. Derivatives read
// them; prune_scans removes those that nothing reads.
#include "compiler/graph/scan.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <map>

namespace gradc {

ScanInputs scan_inputs(const Graph& body) {
    ScanInputs result;
    for (uint32_t i = 0; i < body.size(); ++i) {
        const Node& node = body[NodeId(i)];
        if (node.op != Op::input) continue;
        const Input& input = attribute<Input>(node);
        if (input.source == Input::Source::iteration) {
            result.iteration = NodeId(i);
            continue;
        }
        auto& list = input.source == Input::Source::carry ? result.carries : result.captures;
        size_t number = std::stoul(input.name);
        if (list.size() <= number) list.resize(number + 1, NodeId::none);
        list[number] = NodeId(i);
    }
    return result;
}

NodeId carry_input(Graph& body, size_t number, Type type) {
    return body.add(Op::input, std::move(type), {}, Input{Input::Source::carry, std::to_string(number), 0, -1});
}
NodeId capture_input(Graph& body, size_t number, Type type) {
    return body.add(Op::input, std::move(type), {}, Input{Input::Source::capture, std::to_string(number), 0, -1});
}
NodeId iteration_input(Graph& body, int64_t iterations) {
    return body.add(Op::input, {Dtype::i32, {}}, {}, Input{Input::Source::iteration, "iteration", 0, iterations - 1});
}

namespace {

/// Body and inputs of a scan that keeps only some carries and outputs.
struct Trimmed {
    Graph body;
    std::vector<NodeId> inputs; // carries, then captures
};

/// Keeps the carries `kept_carries` and the outputs `kept`, both ascending, and drops dead nodes and captures that
/// nothing reads.
Trimmed trim(const Graph& body, const std::vector<NodeId>& inputs, int carries, const std::vector<size_t>& kept_carries,
             const std::vector<size_t>& kept) {
    Graph result(body.shared_primitives());
    Trimmed trimmed{Graph(body.shared_primitives()), {}};
    std::vector<NodeId> roots;
    for (size_t number : kept) roots.push_back(body.outputs[number].node);
    std::unordered_map<NodeId, NodeId> bound;
    for (size_t i = 0; i < kept_carries.size(); ++i) trimmed.inputs.push_back(inputs[kept_carries[i]]);
    size_t captures = 0;
    for (NodeId id : reachable(body, roots)) {
        const Node& node = body[id];
        if (node.op != Op::input) continue;
        Input input = attribute<Input>(node);
        if (input.source == Input::Source::iteration) continue;
        size_t number = std::stoul(input.name);
        if (input.source == Input::Source::carry) {
            auto at = std::lower_bound(kept_carries.begin(), kept_carries.end(), number);
            check(at != kept_carries.end() && *at == number, "graph", "a carry that is read must be kept");
            number = size_t(at - kept_carries.begin());
        } else {
            trimmed.inputs.push_back(inputs[size_t(carries) + number]);
            number = captures++;
        }
        input.name = std::to_string(number);
        NodeId copy = result.add(Op::input, node.type, {}, input, node.span);
        if (!node.name.empty()) result.name_node(copy, node.name);
        bound[id] = copy;
    }
    auto copies = inline_graph(body, roots, result, bound);
    for (size_t i = 0; i < kept.size(); ++i) result.outputs.push_back({body.outputs[kept[i]].name, copies[i]});
    trimmed.body = std::move(result);
    return trimmed;
}

std::vector<NodeId> add_scan(Graph& graph, Trimmed trimmed, Scan scan, Span span) {
    size_t parts = trimmed.body.outputs.size();
    scan.body = graph.add_body(std::move(trimmed.body));
    NodeId loop = graph.add(Op::scan, scan_type(), std::move(trimmed.inputs), scan, span);
    std::vector<NodeId> result;
    for (size_t i = 0; i < parts; ++i)
        result.push_back(graph.add(Op::part, part_type(graph, scan, int(i)), {loop}, Part{int(i)}, span));
    return result;
}

std::vector<size_t> first_numbers(size_t n) {
    std::vector<size_t> result(n);
    for (size_t i = 0; i < n; ++i) result[i] = i;
    return result;
}

/// The carries that the read parts depend on, themselves included.
std::vector<size_t> needed_carries(const Graph& body, int carries, const std::vector<bool>& read) {
    std::vector<bool> needed(read.begin(), read.begin() + carries), seen(body.size(), false);
    std::vector<NodeId> waiting;
    for (size_t i = 0; i < read.size(); ++i)
        if (read[i]) waiting.push_back(body.outputs[i].node);
    while (!waiting.empty()) {
        NodeId id = waiting.back();
        waiting.pop_back();
        if (seen[index(id)]) continue;
        seen[index(id)] = true;
        const Node& node = body[id];
        waiting.insert(waiting.end(), node.inputs.begin(), node.inputs.end());
        if (node.op != Op::input || attribute<Input>(node).source != Input::Source::carry) continue;
        size_t number = std::stoul(attribute<Input>(node).name);
        needed[number] = true;
        waiting.push_back(body.outputs[number].node);
    }
    std::vector<size_t> result;
    for (size_t i = 0; i < needed.size(); ++i)
        if (needed[i]) result.push_back(i);
    return result;
}

} // namespace

std::vector<NodeId> build::scan(Graph& graph, Graph body, std::vector<NodeId> carries, std::vector<NodeId> captures,
                                int64_t iterations, bool reverse, Span span) {
    size_t parts = body.outputs.size(), n = carries.size();
    check(n <= parts && parts > 0, "graph", "a scan's body has too few outputs");
    auto known = scan_inputs(body).carries;
    for (size_t i = 0; i < n; ++i) {
        NodeId input = i < known.size() ? known[i] : NodeId::none;
        if (input == NodeId::none) input = carry_input(body, i, graph.type(carries[i]));
        body.outputs.push_back({"", input});
    }
    std::vector<NodeId> inputs = std::move(carries);
    inputs.insert(inputs.end(), captures.begin(), captures.end());
    auto trimmed = trim(body, inputs, int(n), first_numbers(n), first_numbers(body.outputs.size()));
    auto result = add_scan(graph, std::move(trimmed), Scan{0, iterations, int(n), reverse}, span);
    result.resize(parts);
    return result;
}

NodeId saved_carry(Graph& graph, NodeId id, int number) {
    const Node& node = graph[id];
    Scan scan = attribute<Scan>(node);
    Graph body = graph.body(scan.body);
    auto known = scan_inputs(body).carries;
    for (size_t i = size_t(scan.carries); i < body.outputs.size(); ++i)
        if (size_t(number) < known.size() && body.outputs[i].node == known[size_t(number)])
            return graph.add(Op::part, part_type(graph, scan, int(i)), {id}, Part{int(i)}, node.span);
    auto captures = node.inputs.begin() + scan.carries;
    size_t parts = body.outputs.size();
    auto saving = build::scan(graph, std::move(body), {node.inputs.begin(), captures}, {captures, node.inputs.end()},
                              scan.iterations, scan.reverse, node.span);
    NodeId loop = graph[saving[0]].inputs[0];
    scan = attribute<Scan>(graph[loop]);
    int part = int(parts) + number;
    return graph.add(Op::part, part_type(graph, scan, part), {loop}, Part{part}, node.span);
}

Graph prune_scans(const Graph& graph) {
    std::map<NodeId, std::vector<bool>> read; // by scan: true for the parts that are read
    std::vector<NodeId> roots;
    for (const Output& output : graph.outputs) roots.push_back(output.node);
    for (NodeId id : reachable(graph, roots))
        if (graph[id].op == Op::scan) read[id].resize(graph.body(attribute<Scan>(graph[id]).body).outputs.size());
        else if (graph[id].op == Op::part) read[graph[id].inputs[0]][size_t(attribute<Part>(graph[id]).number)] = true;
    std::map<NodeId, std::unordered_map<int, NodeId>> parts; // by scan and number in the old graph
    return rebuild(graph, [&](Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
        const Node& node = graph[old];
        if (node.op == Op::part) return parts.at(node.inputs[0]).at(attribute<Part>(node).number);
        if (node.op != Op::scan) return NodeId::none;
        Scan scan = attribute<Scan>(node);
        Graph body = prune_scans(graph.body(scan.body));
        const auto& used = read.at(old);
        auto carries = needed_carries(body, scan.carries, used);
        auto kept = carries;
        for (size_t i = size_t(scan.carries); i < used.size(); ++i)
            if (used[i]) kept.push_back(i);
        auto trimmed = trim(body, inputs, scan.carries, carries, kept);
        scan.carries = int(carries.size());
        auto fresh = add_scan(target, std::move(trimmed), scan, node.span);
        for (size_t i = 0; i < kept.size(); ++i) parts[old][int(kept[i])] = fresh[i];
        return fresh.empty() ? NodeId::none : target[fresh[0]].inputs[0];
    });
}

} // namespace gradc
