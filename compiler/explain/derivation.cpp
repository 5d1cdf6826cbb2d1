// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reverse mode gives every node on the path an adjoint. The stations are the nodes that a reader needs: values with a
// name, operands and results of contractions, results of loops, and every node if all are scalars. Nodes that share one
// adjoint are one station: the nodes between them pass the gradient unchanged.
#include "compiler/explain/derivation.h"
#include "compiler/gradient/backward.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace gradc {
namespace {

constexpr size_t longest_equation = 14; // in nodes of an adjoint's formula down to the next stations

/// The paths on which a gradient flows from the scalar to the parameters.
class Ways {
public:
    Ways(const Graph& graph, NodeId value, const std::vector<NodeId>& parameters, const DerivativeRules& rules)
        : graph_(graph) {
        std::vector<bool> depends = depends_on(graph_, parameters);
        std::vector<NodeId> wrt;
        for (NodeId id : reachable(graph_, {value}))
            if (depends[index(id)] && graph_[id].op != Op::scan) wrt.push_back(id);
        forward_ = graph_.size();
        std::vector<NodeId> adjoints = gradient(graph_, value, wrt, rules);
        adjoint_.assign(forward_, NodeId::none);
        for (size_t i = 0; i < wrt.size(); ++i) adjoint_[index(wrt[i])] = adjoints[i];
        for (NodeId id : wrt)
            if (on_way(id)) nodes_.push_back(id);
        readers_.resize(forward_);
        for (NodeId id : nodes_)
            for (NodeId input : sources(id)) readers_[index(input)].push_back(id);
    }

    bool on_way(NodeId id) const { return index(id) < forward_ && adjoint_[index(id)] != NodeId::none; }
    NodeId adjoint(NodeId id) const { return adjoint_[index(id)]; }
    const std::vector<NodeId>& nodes() const { return nodes_; } // ascending
    const std::vector<NodeId>& readers(NodeId id) const { return readers_[index(id)]; }
    Graph& graph() { return graph_; }
    const Graph& graph() const { return graph_; }
    size_t forward() const { return forward_; }

    /// Inputs of a node that are on the paths too; parts of a loop read the inputs of the loop.
    std::vector<NodeId> sources(NodeId id) const {
        const Node& node = graph_[id];
        const Node& reads = node.op == Op::part ? graph_[node.inputs[0]] : node;
        std::vector<NodeId> result;
        for (size_t i = node.op == Op::custom_gradient ? 1 : 0; i < reads.inputs.size(); ++i)
            if (on_way(reads.inputs[i]) && std::find(result.begin(), result.end(), reads.inputs[i]) == result.end())
                result.push_back(reads.inputs[i]);
        return result;
    }

private:
    Graph graph_;
    size_t forward_ = 0;
    std::vector<NodeId> adjoint_;
    std::vector<NodeId> nodes_;
    std::vector<std::vector<NodeId>> readers_;
};

class Choice {
public:
    Choice(const Ways& ways, NodeId value, const std::vector<NodeId>& parameters)
        : ways_(ways), value_(value), parameters_(parameters.begin(), parameters.end()) {
        bool numbers = std::all_of(ways.nodes().begin(), ways.nodes().end(), [&](NodeId id) {
            return count(ways.graph().type(id).shape, 1) == 1 && !ways.graph().type(id).has_rows();
        });
        for (NodeId id : ways.nodes()) {
            const Node& node = ways.graph()[id];
            if (fixed(id) || !node.name.empty() || node.op == Op::part ||
                (numbers && kind(node.op) == Kind::elementwise))
                chosen_.insert(id);
            if (node.op == Op::broadcast && parameters_.count(node.inputs[0])) chosen_.insert(id);
            if (node.op != Op::contract) continue;
            chosen_.insert(id);
            for (NodeId source : ways.sources(id)) chosen_.insert(source);
        }
        join_equals(numbers);
        shorten();
    }

    const std::set<NodeId>& chosen() const { return chosen_; }

private:
    bool fixed(NodeId id) const { return id == value_ || parameters_.count(id); }

    /// Among nodes with one adjoint, those with names are kept; without names, the last one. In scalar graphs all are
    /// kept.
    void join_equals(bool numbers) {
        if (numbers) return;
        std::map<NodeId, std::vector<NodeId>> classes; // adjoint -> nodes on the paths
        for (NodeId id : ways_.nodes())
            if (!parameters_.count(id)) classes[ways_.adjoint(id)].push_back(id);
        for (const auto& [adjoint, members] : classes) {
            bool some = std::any_of(members.begin(), members.end(), [&](NodeId id) { return chosen_.count(id); });
            if (!some) continue;
            bool named = false;
            for (NodeId id : members) named = named || fixed(id) || !ways_.graph()[id].name.empty();
            for (NodeId id : members)
                if (!fixed(id) && ways_.graph()[id].name.empty()) chosen_.erase(id);
            if (!named) chosen_.insert(members.back());
        }
        std::erase_if(chosen_,
                      [&](NodeId id) { // a bias that is broadcast over the rows and read in several places
                          const Node& node = ways_.graph()[id];
                          return node.op == Op::broadcast && node.name.empty();
                      });
    }

    /// Nodes on every path from `id` to the next stations, if the formula is too long to read.
    void shorten() {
        for (auto id = ways_.nodes().rbegin(); id != ways_.nodes().rend(); ++id) {
            if (!chosen_.count(*id) || *id == value_) continue;
            for (std::set<NodeId> inner; length(*id, inner) > longest_equation && !inner.empty(); inner.clear()) {
                NodeId next = *std::next(inner.begin(), long(inner.size() / 2));
                for (NodeId passed : narrow_places(*id))
                    if (inner.count(passed)) {
                        next = passed;
                        break;
                    }
                chosen_.insert(next);
            }
        }
    }

    /// Backward nodes in the adjoint's formula; `inner`: nodes in between, whose adjoints are part of it.
    size_t length(NodeId station, std::set<NodeId>& inner) const {
        std::set<NodeId> between, stops;
        for (NodeId id : chosen_) stops.insert(ways_.adjoint(id));
        std::vector<NodeId> waiting = ways_.readers(station);
        std::map<NodeId, NodeId> owner; // adjoint -> node
        while (!waiting.empty()) {
            NodeId id = waiting.back();
            waiting.pop_back();
            if (chosen_.count(id) || !between.insert(id).second) continue;
            bool moves = kind(ways_.graph()[id].op) == Kind::move; // moves have no formula worth showing
            if (!moves && !stops.count(ways_.adjoint(id))) owner.emplace(ways_.adjoint(id), id);
            waiting.insert(waiting.end(), ways_.readers(id).begin(), ways_.readers(id).end());
        }
        std::set<NodeId> seen;
        waiting = {ways_.adjoint(station)};
        while (!waiting.empty()) {
            NodeId id = waiting.back();
            waiting.pop_back();
            bool top = id == ways_.adjoint(station);
            if (index(id) < ways_.forward() || (!top && stops.count(id)) || !seen.insert(id).second) continue;
            if (auto found = owner.find(id); found != owner.end() && !top) inner.insert(found->second);
            const auto& inputs = ways_.graph()[id].inputs;
            waiting.insert(waiting.end(), inputs.begin(), inputs.end());
        }
        return seen.size();
    }

    /// Nodes on every path from `station` to the next stations, ascending.
    std::vector<NodeId> narrow_places(NodeId station) const {
        std::vector<NodeId> result;
        std::set<NodeId> open(ways_.readers(station).begin(), ways_.readers(station).end());
        while (!open.empty()) {
            NodeId id = *open.begin();
            if (open.size() == 1 && !chosen_.count(id)) result.push_back(id);
            open.erase(id);
            if (chosen_.count(id)) {
                if (!open.empty()) break; // the paths separate here
                continue;
            }
            open.insert(ways_.readers(id).begin(), ways_.readers(id).end());
        }
        return result;
    }

    const Ways& ways_;
    NodeId value_;
    std::set<NodeId> parameters_, chosen_;
};

Simplified simplified_node(const Graph& graph, NodeId id) {
    const Node& node = graph[id];
    switch (kind(node.op)) {
    case Kind::elementwise: return node.type.shape.empty() ? Simplified::number : Simplified::diagonal;
    case Kind::reduce: return node.op == Op::sum ? Simplified::total : Simplified::selection;
    case Kind::contract: return Simplified::product;
    case Kind::index: return Simplified::selection;
    case Kind::loop: return Simplified::loop;
    case Kind::move: break;
    default: return Simplified::identity;
    }
    switch (node.op) {
    case Op::broadcast: return Simplified::repetition;
    case Op::reshape:
    case Op::permute: return Simplified::arrangement;
    case Op::slice:
    case Op::pad: return Simplified::selection;
    default: return Simplified::mixture;
    }
}

/// All nodes on paths from `earlier` to `later` without another station in between.
std::vector<NodeId> path(const Ways& ways, const std::set<NodeId>& stations, NodeId earlier, NodeId later) {
    std::set<NodeId> up, both;
    std::vector<NodeId> waiting = ways.readers(earlier);
    while (!waiting.empty()) {
        NodeId id = waiting.back();
        waiting.pop_back();
        if (!up.insert(id).second || stations.count(id)) continue;
        waiting.insert(waiting.end(), ways.readers(id).begin(), ways.readers(id).end());
    }
    if (!up.count(later)) return {};
    waiting = {later};
    while (!waiting.empty()) {
        NodeId id = waiting.back();
        waiting.pop_back();
        if (!up.count(id) || !both.insert(id).second) continue;
        for (NodeId source : ways.sources(id))
            if (!stations.count(source)) waiting.push_back(source);
    }
    return {both.begin(), both.end()};
}

/// The structure without nodes that pass the gradient unchanged.
void simplify(Factor& factor, const Ways& ways, NodeId earlier) {
    const auto& path = factor.path;
    for (auto id = path.rbegin(); id != path.rend(); ++id) {
        bool counts = false;
        for (NodeId source : ways.sources(*id)) {
            bool inside = source == earlier || std::find(path.begin(), path.end(), source) != path.end();
            counts = counts || (inside && ways.adjoint(source) != ways.adjoint(*id));
        }
        Simplified step = simplified_node(ways.graph(), *id);
        if (counts && std::find(factor.steps.begin(), factor.steps.end(), step) == factor.steps.end())
            factor.steps.push_back(step);
    }
    factor.simplified = factor.steps.empty()       ? Simplified::identity
                        : factor.steps.size() == 1 ? factor.steps[0]
                                                   : Simplified::mixture;
}

/// The stations from the scalar to the parameter, each with its factors.
void connect(Derivation& result, const Ways& ways, const std::set<NodeId>& chosen) {
    for (auto id = chosen.rbegin(); id != chosen.rend(); ++id) {
        Station station;
        station.node = *id;
        station.adjoint = ways.adjoint(*id);
        for (size_t later = 0; later < result.stations.size(); ++later) {
            Factor factor;
            factor.later = later;
            factor.path = path(ways, chosen, *id, result.stations[later].node);
            if (factor.path.empty()) continue;
            simplify(factor, ways, *id);
            station.factors.push_back(std::move(factor));
        }
        result.stations.push_back(std::move(station));
    }
}

} // namespace

std::optional<Derivation> derive(const Question& question, const std::vector<NodeId>& parameters,
                                 const DerivativeRules& rules) {
    Ways ways(question.graph, question.value, parameters, rules);
    if (ways.nodes().empty()) return std::nullopt;
    Choice choice(ways, question.value, parameters);
    Derivation result{question.name, ways.graph(), {}, ways.forward(), {}};
    for (NodeId id : ways.nodes()) result.adjoints.push_back(ways.adjoint(id));
    connect(result, ways, choice.chosen());
    return result;
}

NodeId along(Graph& graph, const Derivation& derivation, size_t later, size_t earlier, NodeId seed,
             const DerivativeRules& rules) {
    std::unordered_set<NodeId> cuts;
    for (const Station& station : derivation.stations)
        if (station.node != derivation.stations[later].node) cuts.insert(station.node);
    return backpropagate(graph, {{derivation.stations[later].node, seed}}, {derivation.stations[earlier].node}, rules,
                         cuts)[0];
}

} // namespace gradc
