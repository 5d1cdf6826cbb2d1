// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The body is copied. Its inputs have their outer names, its carries are c0, c1, .. unless the model names them, and
// values that are used more than once get a name of their own.
#include "compiler/explain/iteration.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/scan.h"
#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace gradc {
namespace {

/// Carries that output `number` needs, directly or from an earlier iteration; ascending.
std::set<int> needed_carries(const Graph& body, const ScanInputs& inputs, int carries, int number) {
    std::set<int> needed;
    if (number < carries) needed.insert(number);
    std::vector<NodeId> roots = {body.outputs[size_t(number)].node};
    for (size_t before = SIZE_MAX; before != needed.size();) {
        before = needed.size();
        for (int carry : needed) roots.push_back(body.outputs[size_t(carry)].node);
        std::vector<NodeId> reached = reachable(body, roots);
        for (size_t i = 0; i < inputs.carries.size(); ++i)
            if (std::binary_search(reached.begin(), reached.end(), inputs.carries[i])) needed.insert(int(i));
    }
    return needed;
}

/// Nodes that have a name, or are read twice and are no leaf and no move of a leaf.
std::vector<NodeId> shared(const Graph& body, const std::vector<NodeId>& roots) {
    std::vector<int> uses(body.size(), 0);
    std::vector<NodeId> result;
    std::vector<NodeId> reached = reachable(body, roots);
    for (NodeId id : reached) {
        std::vector<NodeId> inputs = body[id].inputs;
        inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end()); // x * x reads x once
        for (NodeId input : inputs) ++uses[index(input)];
    }
    for (NodeId root : roots) ++uses[index(root)];
    for (NodeId id : reached)
        if ((uses[index(id)] > 1 || !body[id].name.empty()) && kind(body[id].op) != Kind::leaf &&
            kind(body[id].op) != Kind::move && body[id].op != Op::scan)
            result.push_back(id);
    return result;
}

} // namespace

LoopIteration iteration_equations(const Graph& graph, const Node& scan_node, int number, const Symbols& symbols) {
    const Scan& scan = attribute<Scan>(scan_node);
    Graph body = graph.body(scan.body);
    ScanInputs inputs = scan_inputs(body);
    std::set<std::string> used;
    for (size_t i = 0; i < inputs.captures.size(); ++i)
        if (NodeId id = inputs.captures[i]; id != NodeId::none) {
            body.rename_node(id, textbook_name(graph, scan_node.inputs[size_t(scan.carries) + i], symbols));
            used.insert(body[id].name);
        }
    for (size_t i = 0; i < inputs.carries.size(); ++i)
        if (NodeId id = inputs.carries[i]; id != NodeId::none && body[id].name.empty())
            body.rename_node(id, fmt::format("c{}", i));
    for (NodeId id : inputs.carries)
        if (id != NodeId::none) used.insert(body[id].name);
    std::set<int> carries = needed_carries(body, inputs, scan.carries, number);
    std::vector<NodeId> roots;
    for (int carry : carries) roots.push_back(body.outputs[size_t(carry)].node);
    if (number >= scan.carries) roots.push_back(body.outputs[size_t(number)].node);
    LoopIteration result;
    int fresh = 0;
    for (NodeId id : shared(body, roots)) {
        if (body[id].name.empty() || used.count(body[id].name)) body.rename_node(id, fmt::format("u{}", ++fresh));
        result.push_back({body[id].name + " =", textbook_formula(body, id, symbols)});
    }
    for (int carry : carries) {
        NodeId input = inputs.carries[size_t(carry)], next = body.outputs[size_t(carry)].node;
        std::string name = input == NodeId::none ? fmt::format("c{}", carry) : body[input].name;
        bool apart = std::any_of(result.begin(), result.end(),
                                 [&](const auto& each) { return each.first == body[next].name + " ="; });
        result.push_back({name + " <-", apart ? body[next].name : textbook_formula(body, next, symbols)});
    }
    if (number >= scan.carries) {
        NodeId yield = body.outputs[size_t(number)].node;
        result.push_back({"yield", textbook_name(body, yield, symbols)});
    }
    return result;
}

} // namespace gradc
