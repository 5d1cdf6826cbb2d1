// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The graph as DOT, written by Boost.Graph. Leaves are boxes with their formula, other nodes ellipses with their op;
// each has its type below.
#include "compiler/graph/boost.h"
#include "compiler/graph/print.h"
#include "compiler/graph/rewrite.h"
#include <boost/graph/filtered_graph.hpp>
#include <boost/graph/graphviz.hpp>
#include <fmt/format.h>
#include <sstream>

namespace gradc {

namespace {

std::string escaped(const std::string& text) {
    std::string result;
    for (char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c == '\n' ? ' ' : c;
    }
    return result;
}

std::string label(const Graph& graph, NodeId id) {
    const Node& node = graph[id];
    std::string word(name(node.op));
    if (node.op == Op::elementwise) word = graph.primitives().name(attribute<Elementwise>(node).primitive);
    if (kind(node.op) == Kind::leaf || node.op == Op::assign) word = formula(graph, id);
    return escaped(node.name.empty() || node.name == word ? word : node.name + " = " + word);
}

} // namespace

std::string print_dot(const Graph& graph) {
    std::vector<NodeId> roots;
    for (const Output& output : graph.outputs) roots.push_back(output.node);
    ReaderGraph view = reader_graph(graph, roots);
    std::vector<bool> reached(graph.size() + 1, false);
    for (NodeId id : reachable(graph, roots)) reached[index(id)] = true;
    auto inside = [&](uint32_t vertex) { return bool(reached[vertex]); };
    boost::filtered_graph<ReaderGraph, boost::keep_all, std::function<bool(uint32_t)>> shown(view, boost::keep_all{},
                                                                                             inside);
    std::ostringstream text;
    auto vertex = [&](std::ostream& out, uint32_t number) {
        const Node& node = graph[NodeId(number)];
        out << fmt::format(" [label=\"{}\\n{}\", shape={}]", label(graph, NodeId(number)), print(node.type),
                           kind(node.op) == Kind::leaf ? "box" : "ellipse");
    };
    auto edge = [](std::ostream&, const auto&) {};
    auto whole = [](std::ostream& out) { out << "rankdir=BT;\nnode [fontname=\"monospace\"];\n"; };
    boost::write_graphviz(text, shown, vertex, edge, whole);
    std::string result = text.str();
    result.resize(result.rfind('}'));
    for (size_t i = 0; i < graph.outputs.size(); ++i)
        result += fmt::format("output_{} [label=\"{}\", shape=plaintext];\n{} -> output_{};\n", i,
                              escaped(graph.outputs[i].name), index(graph.outputs[i].node), i);
    return result + "}\n";
}

} // namespace gradc
