// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints the nodes that the outputs reach, numbered anew, so that the text does not depend on dead nodes. Loop bodies
// come before the nodes, in order of first use.
#include "compiler/graph/print.h"
#include "compiler/graph/rewrite.h"
#include <fmt/format.h>

namespace gradc {

namespace {

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') (result += '\\') += c;
        else if (static_cast<unsigned char>(c) < 32 || c == 127)
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else result += c;
    }
    return result + "\"";
}

bool plain_word(const std::string& text) {
    if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
    for (char c : text)
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_' && c != '.')
            return false;
    return true;
}

template <class T> std::string list(const std::vector<T>& values) {
    return fmt::format("[{}]", fmt::join(values, ", "));
}

struct Printer {
    const Graph& graph;
    std::string indent;
    std::map<std::string, size_t>* unnamed = nullptr; // see print_unnamed
    std::string text = {};
    std::map<uint32_t, size_t> bodies = {}; // number in the graph -> number in the text
    std::vector<size_t> numbers = {};       // node -> number in the text

    std::string attributes(const Node& node) const {
        return std::visit([&](const auto& a) { return said(a); }, node.attributes);
    }
    std::string said(const NoAttributes&) const { return ""; }
    std::string said(const Constant& a) const {
        return a.values.size() == 1 ? fmt::format(" {}", a.values[0]) : " " + list(a.values);
    }
    std::string said(const Input& a) const {
        static constexpr const char* sources[] = {"field", "scalar", "carry", "capture", "iteration"};
        std::string range = a.high < a.low ? "" : fmt::format(" {}..{}", a.low, a.high);
        std::string name = a.source == Input::Source::field ? numbered(a.name) : quoted(a.name);
        return fmt::format(" {} {}{}", sources[size_t(a.source)], name, range);
    }
    std::string said(const VariableName& a) const { return " " + numbered(a.path); }
    std::string said(const Random& a) const { return fmt::format(" {}", a.stream); }
    std::string said(const Elementwise& a) const { return fmt::format(" {}", graph.primitives().name(a.primitive)); }
    std::string said(const CustomGradient& a) const { return fmt::format(" {}", a.clause); }
    std::string said(const Axes& a) const { return " " + list(a.axes); }
    std::string said(const Slice& a) const { return fmt::format(" {} step {}", list(a.start), list(a.step)); }
    std::string said(const Pad& a) const { return fmt::format(" {} value {}", list(a.before), a.value); }
    std::string said(const Window& a) const {
        return fmt::format(" axis {} stride {} dilation {}", a.axis, a.stride, a.dilation);
    }
    std::string said(const Gather& a) const { return fmt::format(" axis {} batch {}", a.axis, a.batch); }
    std::string said(const Contract& a) const {
        return fmt::format(" {} {} {}", list(a.left), list(a.right), list(a.out));
    }
    std::string said(const Scan& a) const {
        return fmt::format(" body {} iterations {} carries {}{}", bodies.at(a.body), a.iterations, a.carries,
                           a.reverse ? " reverse" : "");
    }
    std::string said(const Part& a) const { return fmt::format(" {}", a.number); }
    std::string said(const Assign& a) const { return " " + numbered(a.path); }

    std::string numbered(const std::string& name) const {
        return unnamed ? fmt::format("{}", unnamed->emplace(name, unnamed->size()).first->second) : quoted(name);
    }

    void line(const Node& node, size_t number) {
        text += fmt::format("{}%{} = {}{}", indent, number, name(node.op), attributes(node));
        for (NodeId input : node.inputs) text += fmt::format(" %{}", numbers[index(input)]);
        text += " : " + print(node.type);
        if (!node.name.empty() && !unnamed) text += "  # " + (plain_word(node.name) ? node.name : quoted(node.name));
        text += "\n";
    }

    std::string all() {
        std::vector<NodeId> roots, nodes;
        for (const Output& output : graph.outputs) roots.push_back(output.node);
        if (roots.empty())
            for (uint32_t i = 0; i < graph.size(); ++i) nodes.push_back(NodeId(i));
        else nodes = reachable(graph, roots);
        for (NodeId id : nodes)
            if (graph[id].op == Op::scan) body(attribute<Scan>(graph[id]).body);
        numbers.resize(graph.size());
        for (size_t i = 0; i < nodes.size(); ++i) {
            numbers[index(nodes[i])] = i;
            line(graph[nodes[i]], i);
        }
        for (const Output& output : graph.outputs)
            text += fmt::format("{}output {} = %{}\n", indent,
                                plain_word(output.name) && !unnamed ? output.name : numbered(output.name),
                                numbers[index(output.node)]);
        return std::move(text);
    }

    void body(uint32_t number) {
        if (!bodies.emplace(number, bodies.size()).second) return;
        text += fmt::format("{}body {} {{\n", indent, bodies[number]);
        text += Printer{graph.body(number), indent + "    ", unnamed}.all();
        text += indent + "}\n";
    }
};

} // namespace

std::string print(const Graph& graph) { return "graph 1\n" + Printer{graph, ""}.all(); }

std::string print_unnamed(const Graph& graph, std::map<std::string, size_t>& numbers) {
    return Printer{graph, "", &numbers}.all();
}

} // namespace gradc
