// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names are given in order of node ids, so their numbers increase along the forward pass.
#include "compiler/explain/names.h"
#include "compiler/graph/rewrite.h"
#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace gradc {
namespace {

/// A path split at the last dot: the layer and the name in it.
std::pair<std::string, std::string> split(const std::string& path) {
    size_t dot = path.rfind('.');
    if (dot == std::string::npos) return {"", path};
    return {path.substr(0, dot), path.substr(dot + 1)};
}

/// A parameter with a unique last word is named by it. In numbered layers, whose last words repeat, the only matrix of
/// a layer is W and its only vector b, with the layer's number; other parameters have their last word and the number.
Symbols symbols_of(const Question& question, const std::set<std::string>& used) {
    struct Entry {
        std::string layer, word;
        bool matrix;
    };
    std::map<std::string, Entry> entries;
    std::map<std::string, int> words, layers, kinds;
    std::vector<std::string> order;
    for (NodeId id : question.parameters) {
        const std::string& path = attribute<VariableName>(question.graph[id]).path;
        auto [layer, word] = split(path);
        Entry entry{layer, word, question.graph.type(id).rank() >= 2};
        order.push_back(path);
        ++words[word];
        layers.emplace(layer, int(layers.size()) + 1);
        ++kinds[layer + (entry.matrix ? "/W" : "/b")];
        entries[path] = std::move(entry);
    }
    Symbols symbols;
    std::set<std::string> taken = used;
    for (const std::string& path : order) {
        const Entry& entry = entries[path];
        bool lone = kinds[entry.layer + (entry.matrix ? "/W" : "/b")] == 1;
        bool plain = words[entry.word] == 1 && (split(entry.layer).first.empty() || !lone);
        std::string symbol =
            plain ? entry.word
                  : fmt::format("{}{}", lone ? (entry.matrix ? "W" : "b") : entry.word, layers[entry.layer]);
        if (!taken.insert(symbol).second) symbol = path;
        symbols[path] = symbol;
    }
    return symbols;
}

class Naming {
public:
    Naming(Derivation& derivation, const Question& question) : derivation_(derivation), graph_(derivation.graph) {
        std::map<std::string, int> times;
        for (NodeId id : reachable(graph_, {derivation.value()})) {
            if (graph_[id].op == Op::input) used_.insert(attribute<Input>(graph_[id]).name);
            if (graph_[id].op != Op::variable && !graph_[id].name.empty()) ++times[graph_[id].name];
        }
        used_.insert("L");
        for (const auto& [name, count] : times) used_.insert(name);
        symbols = symbols_of(question, used_);
        for (const auto& [path, symbol] : symbols) used_.insert(symbol);
        number_repeated(times);
    }

    void stations() {
        std::string scalar = "L";
        graph_.rename_node(derivation_.value(), scalar);
        for (auto station = derivation_.stations.rbegin(); station != derivation_.stations.rend(); ++station) {
            const Node& node = graph_[station->node];
            if (node.op == Op::variable)
                station->name = symbols.count(attribute<VariableName>(node).path)
                                    ? symbols.at(attribute<VariableName>(node).path)
                                    : attribute<VariableName>(node).path;
            else if (node.name.empty()) graph_.rename_node(station->node, station->name = fresh("z", z_));
            else station->name = node.name;
        }
        for (const Station& station : derivation_.stations) {
            const Node& adjoint = graph_[station.adjoint];
            bool backward = index(station.adjoint) >= derivation_.forward;
            if (backward && adjoint.op != Op::constant && adjoint.name.empty())
                graph_.rename_node(station.adjoint, "d" + scalar + "/d" + station.name);
        }
    }

    void others() {
        for (NodeId id : values_read_back(derivation_))
            if (graph_[id].name.empty()) graph_.rename_node(id, fresh("t", t_));
    }

    Symbols symbols;

private:
    std::string fresh(const std::string& letter, int& number) {
        std::string name;
        do name = fmt::format("{}{}", letter, ++number);
        while (!used_.insert(name).second);
        return name;
    }

    void number_repeated(const std::map<std::string, int>& times) {
        std::map<std::string, int> numbers;
        for (uint32_t i = 0; i < derivation_.forward; ++i) {
            NodeId id{i};
            const std::string name = graph_[id].name;
            auto found = times.find(name);
            if (graph_[id].op == Op::variable || found == times.end()) continue;
            if (found->second > 1) graph_.rename_node(id, fresh(name, numbers[name]));
        }
    }

    Derivation& derivation_;
    Graph& graph_;
    std::set<std::string> used_;
    int z_ = 0, t_ = 0;
};

/// For each node: computed from numbers that are known before the step, so it need not be kept.
std::vector<bool> trivial_nodes(const Graph& graph) {
    std::vector<bool> result(graph.size(), false);
    for (uint32_t i = 0; i < graph.size(); ++i) {
        const Node& node = graph[NodeId(i)];
        result[i] =
            kind(node.op) == Kind::leaf ||
            (node.type.shape.empty() && std::all_of(node.inputs.begin(), node.inputs.end(), [&](NodeId input) {
                 return graph[input].type.shape.empty() && graph[input].op != Op::variable && result[index(input)];
             }));
    }
    return result;
}

} // namespace

std::vector<NodeId> values_read_back(const Derivation& derivation) {
    const Graph& graph = derivation.graph;
    std::set<NodeId> result;
    const std::vector<bool> trivial = trivial_nodes(graph);
    std::vector<NodeId> gradients;
    for (const Station& station : derivation.stations)
        if (graph[station.node].op == Op::variable) gradients.push_back(station.adjoint);
    for (NodeId id : reachable(graph, gradients)) {
        if (index(id) < derivation.forward) continue;
        for (NodeId input : graph[id].inputs) {
            while (index(input) < derivation.forward &&
                   (graph[input].op == Op::broadcast || graph[input].op == Op::reshape ||
                    graph[input].op == Op::permute || graph[input].op == Op::cast))
                input = graph[input].inputs[0];
            if (index(input) < derivation.forward && graph[input].op != Op::scan && !trivial[index(input)])
                result.insert(input);
        }
    }
    return {result.begin(), result.end()};
}

Symbols name_values(Derivation& derivation, const Question& question) {
    Naming naming(derivation, question);
    naming.stations();
    naming.others();
    return naming.symbols;
}

} // namespace gradc
