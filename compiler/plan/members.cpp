// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A formula is computed inside its reader if it has only one, or if it is cheap. Operands of products are stored.
// Values that a loop does not change are computed outside of it.
#include "compiler/plan/members.h"
#include "compiler/graph/rewrite.h"
#include "compiler/plan/operands.h"
#include "compiler/plan/plan.h"
#include <algorithm>
#include <set>

namespace gradc {

bool is_leaf(const Graph& graph, NodeId id) { return kind(graph[id].op) == Kind::leaf && graph[id].op != Op::random; }

bool is_stored_leaf(const Graph& graph, NodeId id) {
    const Node& node = graph[id];
    if (node.op == Op::constant) return attribute<Constant>(node).values.size() > 1;
    if (node.op == Op::input) return attribute<Input>(node).source != Input::Source::iteration;
    return node.op == Op::variable;
}

double cost_of(const Graph& graph, NodeId id) {
    const Node& node = graph[id];
    if (node.op == Op::random) return 40;
    if (node.op == Op::cast) return 0.5;
    if (node.op == Op::pad || node.op == Op::gather) return 2;
    if (node.op != Op::elementwise) return 0;
    Primitive primitive = attribute<Elementwise>(node).primitive;
    if (primitive >= Primitive::first_declared) return 20;
    if (primitive == Primitive::divide || primitive == Primitive::sqrt || primitive == Primitive::remainder ||
        primitive == Primitive::quotient)
        return 4;
    return 1;
}

namespace {

/// True where one element of `id` is read by several elements of its consumer.
bool stretches(const Graph& graph, NodeId consumer, NodeId id, int64_t batch) {
    Op op = graph[consumer].op;
    if (op == Op::contract || op == Op::gather || op == Op::scatter || op == Op::fold) return true;
    if (op != Op::broadcast && op != Op::window) return false;
    return count(graph.type(consumer).shape, batch) > count(graph.type(id).shape, batch);
}

constexpr int deepest_formula = 64; // later stages walk formulas by recursion, so their depth is bounded
constexpr int most_reshapes = 8;    // in a formula: each may make indices quotients of those before it
constexpr int most_uses = 1 << 20;  // counting stops here
constexpr int most_loads = 2;       // tensors that a formula of several readers reads for each of its elements

class Chooser {
public:
    Chooser(const Flat& flat, int64_t batch, bool fuse) : flat_(flat), graph_(flat.graph), batch_(batch), fuse_(fuse) {
        members_.assign(graph_.size(), false);
        note_roots();
    }

    std::vector<bool> run() {
        std::vector<NodeId> nodes = reachable(graph_, roots_);
        note_costs(nodes);
        Demand none;
        demands_.assign(graph_.size(), none);
        for (NodeId root : roots_) demands_[index(root)].uses += 1;
        for (auto id = nodes.rbegin(); id != nodes.rend(); ++id) decide(*id);
        return std::move(members_);
    }

private:
    struct Demand {
        int uses = 0;           // members that contain this formula
        bool stretched = false; // some of them compute it several times
        bool addressed = false; // read by a product: only plain views are cheap enough
        bool in_loop = false;   // by a loop that does not change it
        int depth = 0;          // nodes between this and its members
        int reshapes = 0;       // among them
    };

    void note_roots() {
        for (const auto* list : {&flat_.outputs, &flat_.assigns})
            for (const Output& output : *list) roots_.push_back(output.node);
        for (const Region& region : flat_.regions) {
            for (const Carry& carry : region.carries) {
                roots_.push_back(carry.initial);
                roots_.push_back(carry.next);
            }
            for (const Yield& yield : region.yields) roots_.push_back(yield.value);
        }
        stored_.insert(roots_.begin(), roots_.end());
    }

    /// A comparison with a value that is computed for others as well: its byte is stored rather than that
    /// value, where it is read by another kernel (as relu's derivative reads the sign of what relu was given).
    bool is_mask_of_shared(NodeId id) const {
        const Node& node = graph_[id];
        if (node.type.dtype != Dtype::boolean || node.op != Op::elementwise || node.type.shape.empty()) return false;
        int shared = 0;
        for (NodeId input : node.inputs) {
            while (graph_[input].op == Op::broadcast) input = graph_[input].inputs[0];
            if (is_leaf(graph_, input) && !is_stored_leaf(graph_, input)) continue;
            if (is_leaf(graph_, input) || is_view(graph_, input) || uses_[index(input)] < 2) return false;
            if (!floating(graph_.type(input).dtype) || graph_.type(input).shape != node.type.shape) return false;
            ++shared;
        }
        return shared == 1;
    }

    void note_costs(const std::vector<NodeId>& nodes) {
        costs_.assign(graph_.size(), 0);
        uses_.assign(graph_.size(), 0);
        loads_.assign(graph_.size(), {});
        heavy_.assign(graph_.size(), false);
        for (NodeId id : nodes)
            for (NodeId input : graph_[id].inputs) ++uses_[index(input)];
        for (NodeId id : nodes) {
            costs_[index(id)] = cost_of(graph_, id);
            for (NodeId input : graph_[id].inputs)
                if (uses_[index(input)] == 1 && !computed(input)) costs_[index(id)] += costs_[index(input)];
            note_loads(id);
            heavy_[index(id)] = computed(id) || costs_[index(id)] > 2 || has_own_term(id);
        }
    }

    /// Reads much. If it stands for a term that nothing else needs, one is stored instead of the other. Else it is one
    /// more tensor to write, and must save more.
    bool is_long_sum(NodeId id) const {
        return int(loads_[index(id)].size()) > (has_own_term(id) ? most_loads : 2 * most_loads);
    }
    bool has_own_term(NodeId id) const {
        return std::any_of(graph_[id].inputs.begin(), graph_[id].inputs.end(), [&](NodeId input) {
            return uses_[index(input)] == 1 && heavy_[index(input)] &&
                   graph_.type(input).shape == graph_.type(id).shape;
        });
    }

    /// A sum that grows from layer to layer reads all its terms, unless it is stored now and then. What is broadcast
    /// stays in a cache, and a tensor that is read twice counts once: a polynomial of x reads x.
    void note_loads(NodeId id) {
        std::vector<NodeId>& loads = loads_[index(id)];
        for (NodeId input : graph_[id].inputs) {
            if (graph_.type(input).shape.empty() || stretches(graph_, id, input, batch_)) continue;
            bool kept = uses_[index(input)] > 1 && (costs_[index(input)] > 2 || is_long_sum(input));
            bool stored = is_stored_leaf(graph_, input) || computed(input) || kept;
            for (NodeId tensor : stored ? std::vector<NodeId>{input} : loads_[index(input)])
                if (loads.size() <= 2 * most_loads && std::find(loads.begin(), loads.end(), tensor) == loads.end())
                    loads.push_back(tensor);
        }
    }

    /// Always a member.
    bool computed(NodeId id) const { return graph_[id].op == Op::scatter || is_reduction(graph_, id); }

    bool must_be_member(NodeId id, const Demand& demand) const {
        if (is_leaf(graph_, id)) return false;
        if (flat_.wanted[index(id)] || stored_.count(id) || computed(id)) return true;
        if (demand.depth >= deepest_formula || demand.reshapes >= most_reshapes) return true;
        bool moves = is_view(graph_, id);
        bool plain = moves && graph_[id].op != Op::pad && graph_[id].op != Op::gather; // a matter of strides alone
        if ((demand.addressed || !fuse_) && !plain) return true;
        if (moves) return false;
        if (is_mask_of_shared(id)) return true;
        double cost = costs_[index(id)];
        return (demand.uses > 1 && (cost > 2 || is_long_sum(id))) || (demand.stretched && cost >= 4) ||
               (demand.in_loop && cost > 0);
    }

    void decide(NodeId id) {
        Demand demand = demands_[index(id)];
        bool member = must_be_member(id, demand);
        members_[index(id)] = member;
        for (NodeId input : graph_[id].inputs) {
            Demand& wanted = demands_[index(input)];
            wanted.uses = std::min(most_uses, wanted.uses + (member ? 1 : demand.uses));
            wanted.depth = std::max(wanted.depth, member ? 0 : demand.depth + 1);
            wanted.reshapes = std::max(wanted.reshapes, member ? 0 : demand.reshapes + (graph_[id].op == Op::reshape));
            wanted.stretched |= stretches(graph_, id, input, batch_) || (!member && demand.stretched);
            wanted.addressed |= graph_[id].op == Op::contract || (!member && demand.addressed);
            wanted.in_loop |=
                flat_.region_of[index(input)] != flat_.region_of[index(id)] || (!member && demand.in_loop);
        }
    }

    const Flat& flat_;
    const Graph& graph_;
    int64_t batch_;
    bool fuse_;
    std::vector<NodeId> roots_;
    std::set<NodeId> stored_;
    std::vector<int> uses_; // nodes that read it
    std::vector<double> costs_;
    std::vector<std::vector<NodeId>> loads_; // tensors that one element reads, one more than of interest at most
    std::vector<bool> heavy_;                // would be stored, if it is not inside a formula that is
    std::vector<Demand> demands_;
    std::vector<bool> members_;
};

/// Collects the reads of a member, through all formulas inside it.
class Reader {
public:
    Reader(const Graph& graph, const std::vector<bool>& members, Indices& indices)
        : graph_(graph), members_(members), indices_(indices) {}

    void value(NodeId id, const Position& at) {
        if (!seen_.insert({id, at}).second) return;
        if (members_[index(id)] || is_stored_leaf(graph_, id)) reads.push_back({id, at});
        else formula(id, at);
    }

    void formula(NodeId id, const Position& at) {
        const Node& node = graph_[id];
        if (is_leaf(graph_, id)) return;
        if (is_reduction(graph_, id)) return reduced(id, at, fresh_axes(reduced_sizes(graph_, id), indices_));
        if (node.op == Op::scatter) {
            for (NodeId input : node.inputs) whole(input);
            return;
        }
        if (is_view(graph_, id)) return viewed(view(graph_, id, at, indices_));
        if (node.op == Op::random) {
            for (size_t i = 0; i < node.inputs.size(); ++i) value(node.inputs[i], i < 2 ? Position{} : Position{at[0]});
            return;
        }
        for (NodeId input : node.inputs) value(input, at);
    }

    void reduced(NodeId id, const Position& at, const Position& axes) {
        for (const View& factor : reduction(graph_, id, at, axes, indices_).factors) viewed(factor);
    }

    /// Reads at unknown positions.
    void whole(NodeId id) { value(id, fresh_axes(graph_.type(id).shape, indices_)); }

    std::vector<Read> reads;

private:
    void viewed(const View& view) {
        for (const Index& index : view.at) lookups(index);
        for (const Guard& guard : view.guards) lookups(guard.index);
        if (view.guards.empty()) return value(view.node, view.at);
        Position at = view.at; // lowering reads at any valid position where the guard fails
        const Shape& shape = graph_.type(view.node).shape;
        for (size_t i = 0; i < at.size(); ++i)
            if (shape[i] != rows) at[i] = indices_.clamped(at[i], shape[i]);
        value(view.node, at);
    }
    void lookups(const Index& at) {
        for (auto [id, coefficient] : at.terms) {
            const Symbol symbol = indices_[id];
            if (symbol.kind == Symbol::Kind::looked_up) value(symbol.node, symbol.at);
            lookups(symbol.of);
        }
    }

    const Graph& graph_;
    const std::vector<bool>& members_;
    Indices& indices_;
    std::set<std::pair<NodeId, Position>> seen_;
};

} // namespace

std::vector<bool> choose_members(const Flat& flat, int64_t batch, bool fuse) {
    return Chooser(flat, batch, fuse).run();
}

bool reduces_along_vectors(const Graph& graph, const std::vector<bool>& members, NodeId id, int64_t batch) {
    const Node& node = graph[id];
    if (!is_reduction(graph, id) || node.op == Op::fold || node.op == Op::scatter) return false;
    if (node.type.shape.empty()) return true;
    if (node.op == Op::contract) {
        const Contract& labels = attribute<Contract>(node);
        size_t last = node.type.shape.size() - 1; // that has more than one element: vectors would run along it
        while (last > 0 && node.type.shape[last] == 1) --last;
        for (size_t side = 0; side < 2; ++side) {
            const auto& own = side ? labels.right : labels.left;
            auto place = std::find(own.begin(), own.end(), labels.out[last]);
            if (place == own.end()) continue;
            auto stride = stride_along(graph, node.inputs[side], int(place - own.begin()), batch, &members);
            if (stride && *stride == 1) return false;
        }
        return !reduced_sizes(graph, id).empty();
    }
    const Shape& in = graph.type(node.inputs[0]).shape;
    const Shape sizes = reduced_sizes(graph, id);
    return attribute<Axes>(node).axes.back() == int(in.size()) - 1 && (sizes.back() == rows || sizes.back() > 4);
}

std::vector<Read> reads_of(const Graph& graph, const std::vector<bool>& members, NodeId node, bool copies,
                           const Position& axes, const Position& reduced, Indices& indices) {
    Reader reader(graph, members, indices);
    if (copies) reader.value(node, axes);
    else if (is_reduction(graph, node)) reader.reduced(node, axes, reduced);
    else reader.formula(node, axes);
    return std::move(reader.reads);
}

Candidate analyse(const Flat& flat, const std::vector<bool>& members, NodeId node, bool copies, int region,
                  Indices& indices, int64_t batch) {
    const Graph& graph = flat.graph;
    Candidate result{node, copies, region, fresh_axes(graph.type(node).shape, indices), {}, false, {}, {}};
    if (!copies && is_reduction(graph, node)) {
        result.reduced = fresh_axes(reduced_sizes(graph, node), indices);
        result.along = reduces_along_vectors(graph, members, node, batch);
    }
    result.reads = reads_of(graph, members, node, copies, result.axes, result.reduced, indices);
    return result;
}

} // namespace gradc
