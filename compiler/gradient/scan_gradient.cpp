// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The derivative of a scan is a scan in reverse. Its carries are the gradients of the forward carries, and the sums of
// the gradients of captures that an iteration reads whole. Each iteration first computes the forward iteration again,
// from the saved carries. If an iteration reads a slice of a capture by its own number (x[:, t]), the gradient of the
// slice is a yield: the stacked gradients of the slices are the gradient of the capture. The result is a scan like any
// other, so it can be differentiated again.
#include "compiler/gradient/backward.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/scan.h"
#include "compiler/util/check.h"
#include <algorithm>

namespace gradc {

namespace {

NodeId at_iteration(Graph& body, NodeId stacked, const Shape& slice, NodeId iteration) {
    return build::gather(body, stacked, iteration, Gather{iteration_axis(slice), 0});
}

bool differentiable(const Graph& graph, NodeId id) { return id != NodeId::none && floating(graph.type(id).dtype); }

/// A lookup in a capture, at an index that depends on the iteration's number alone.
struct IterationRead {
    NodeId node;    // the gather, in the forward body
    NodeId in_body; // its copy in the reverse body
    size_t capture;
};

class ReverseScan {
public:
    ReverseScan(Graph& graph, NodeId id, const std::unordered_map<int, NodeId>& gradients,
                const std::vector<bool>& needed, const DerivativeRules& rules)
        : graph_(graph), id_(id), scan_(attribute<Scan>(graph[id])), inputs_(graph[id].inputs), span_(graph[id].span),
          shared_(graph.shared_body(scan_.body)), forward_(*shared_), names_(scan_inputs(forward_)),
          part_gradients_(gradients), needed_(needed), rules_(rules), body_(graph.shared_primitives()) {
        names_.carries.resize(carries(), NodeId::none);
        names_.captures.resize(inputs_.size() - carries(), NodeId::none);
    }

    std::vector<NodeId> run() {
        std::vector<NodeId> result(inputs_.size(), NodeId::none);
        find_flow();
        if (seeded_.empty()) return result;
        compute_forward();
        seed_results();
        find_iteration_reads();
        collect(backpropagate(body_, seeds_, wrt(), rules_, cuts()));
        if (body_.outputs.empty()) return result;
        auto parts = build::scan(graph_, std::move(body_), start_, captures_, scan_.iterations, !scan_.reverse, span_);
        hand_out(parts, result);
        return result;
    }

private:
    size_t carries() const { return size_t(scan_.carries); }
    const Shape& body_shape(size_t output) const { return forward_.type(forward_.outputs[output].node).shape; }

    // ---- which carries have a gradient
    void find_flow() {
        std::vector<bool> active = active_carries();
        std::vector<bool> flows(carries(), false);
        for (const auto& [number, gradient] : part_gradients_)
            if (size_t(number) < carries()) flows[size_t(number)] = active[size_t(number)];
            else yields_.push_back(size_t(number));
        std::sort(yields_.begin(), yields_.end());
        for (bool grown = true; grown;) {
            grown = false;
            seeded_.clear();
            for (size_t i = 0; i < carries(); ++i)
                if (flows[i]) seeded_.push_back(forward_.outputs[i].node);
            for (size_t number : yields_) seeded_.push_back(forward_.outputs[number].node);
            auto reached = reachable(forward_, seeded_);
            for (size_t i = 0; i < carries(); ++i)
                if (!flows[i] && active[i] && names_.carries[i] != NodeId::none &&
                    std::binary_search(reached.begin(), reached.end(), names_.carries[i]))
                    flows[i] = grown = true;
        }
        for (size_t i = 0; i < carries(); ++i)
            if (flows[i]) flowing_.push_back(i);
    }

    /// Carries that depend, in some iteration, on an input whose gradient is needed.
    std::vector<bool> active_carries() const {
        std::vector<bool> active(needed_.begin(), needed_.begin() + scan_.carries);
        for (bool grown = true; grown;) {
            grown = false;
            std::vector<NodeId> sources;
            for (size_t i = 0; i < carries(); ++i)
                if (active[i] && names_.carries[i] != NodeId::none) sources.push_back(names_.carries[i]);
            for (size_t i = 0; i < names_.captures.size(); ++i)
                if (needed_[carries() + i] && names_.captures[i] != NodeId::none) sources.push_back(names_.captures[i]);
            auto depends = depends_on(forward_, sources);
            for (size_t i = 0; i < carries(); ++i)
                if (!active[i] && depends[index(forward_.outputs[i].node)]) active[i] = grown = true;
        }
        return active;
    }

    // ---- the body
    NodeId capture(NodeId outer) {
        captures_.push_back(outer);
        return capture_input(body_, captures_.size() - 1, graph_.type(outer));
    }

    /// The forward iteration again, from the saved carries.
    void compute_forward() {
        iteration_ = iteration_input(body_, scan_.iterations);
        std::unordered_map<NodeId, NodeId> bound;
        if (names_.iteration != NodeId::none) bound[names_.iteration] = iteration_;
        for (size_t i = 0; i < carries(); ++i) {
            NodeId input = names_.carries[i];
            if (input == NodeId::none) continue;
            NodeId saved = capture(saved_carry(graph_, id_, int(i)));
            bound[input] = at_iteration(body_, saved, forward_.type(input).shape, iteration_);
        }
        for (size_t i = 0; i < names_.captures.size(); ++i)
            if (names_.captures[i] != NodeId::none) bound[names_.captures[i]] = capture(inputs_[carries() + i]);
        std::vector<NodeId> roots;
        for (uint32_t i = 0; i < forward_.size(); ++i) roots.push_back(NodeId(i));
        copies_ = inline_graph(forward_, roots, body_, bound);
    }

    void seed_results() {
        for (size_t k = 0; k < flowing_.size(); ++k) {
            size_t i = flowing_[k];
            const Type& type = graph_.type(inputs_[i]);
            seeds_.push_back({copy(forward_.outputs[i].node), carry_input(body_, k, type)});
            auto given = part_gradients_.find(int(i));
            start_.push_back(given != part_gradients_.end() ? given->second : zeros(graph_, type));
        }
        for (size_t number : yields_) {
            NodeId node = forward_.outputs[number].node;
            NodeId stacked = capture(part_gradients_.at(int(number)));
            seeds_.push_back({copy(node), at_iteration(body_, stacked, body_shape(number), iteration_)});
        }
    }

    /// Carries, then captures, then lookups by the iteration's number.
    std::vector<NodeId> wrt() {
        std::vector<NodeId> result;
        for (size_t i : flowing_) result.push_back(copy(names_.carries[i]));
        for (size_t i = 0; i < names_.captures.size(); ++i)
            if (needed_[carries() + i] && names_.captures[i] != NodeId::none) {
                added_.push_back(i);
                result.push_back(copy(names_.captures[i]));
            }
        for (const IterationRead& read : reads_) result.push_back(read.in_body);
        // a carry that no iteration reads has no input node; an integer node, which has no gradient, takes its place
        for (NodeId& id : result)
            if (id == NodeId::none) id = iteration_;
        return result;
    }

    std::unordered_set<NodeId> cuts() const {
        std::unordered_set<NodeId> result;
        for (const IterationRead& read : reads_) result.insert(read.in_body);
        for (size_t i : flowing_)
            if (names_.carries[i] != NodeId::none) result.insert(copy(names_.carries[i]));
        return result;
    }

    void find_iteration_reads() {
        std::unordered_map<NodeId, size_t> tables;
        for (size_t i = 0; i < names_.captures.size(); ++i)
            if (needed_[carries() + i] && names_.captures[i] != NodeId::none) tables[names_.captures[i]] = i;
        for (uint32_t i = 0; i < forward_.size(); ++i) {
            const Node& node = forward_[NodeId(i)];
            if (node.op != Op::gather || !differentiable(forward_, NodeId(i))) continue;
            auto table = tables.find(node.inputs[0]);
            if (table != tables.end() && of_iteration_alone(node.inputs[1]))
                reads_.push_back({NodeId(i), copy(NodeId(i)), table->second});
        }
    }

    bool of_iteration_alone(NodeId at) const {
        if (forward_.type(at).rank() != 0) return false;
        for (NodeId id : reachable(forward_, {at})) {
            const Node& node = forward_[id];
            bool iteration = id == names_.iteration, scalar = node.type.rank() == 0;
            if (!scalar || !(iteration || node.op == Op::constant || node.op == Op::elementwise || node.op == Op::cast))
                return false;
        }
        return true;
    }

    void collect(const std::vector<NodeId>& shares) {
        size_t next = 0;
        for (size_t i : flowing_) {
            NodeId share = shares[next++];
            const Type& type = graph_.type(inputs_[i]);
            body_.outputs.push_back({"", share == NodeId::none ? zeros(body_, type) : share});
        }
        std::vector<size_t> reached;
        for (size_t i : added_) {
            NodeId share = shares[next++];
            if (share == NodeId::none) continue;
            const Type& type = graph_.type(inputs_[carries() + i]);
            NodeId so_far = carry_input(body_, start_.size(), type);
            body_.outputs.push_back({"", build::elementwise(body_, Primitive::add, {so_far, share}, span_)});
            start_.push_back(zeros(graph_, type));
            reached.push_back(i);
        }
        added_ = std::move(reached);
        std::vector<IterationRead> read;
        for (const IterationRead& each : reads_) {
            NodeId share = shares[next++];
            if (share == NodeId::none) continue;
            body_.outputs.push_back({"", share});
            read.push_back(each);
        }
        reads_ = std::move(read);
    }

    // ---- outside of the body
    void hand_out(const std::vector<NodeId>& parts, std::vector<NodeId>& result) {
        size_t next = 0;
        auto add = [&](size_t input, NodeId share) {
            NodeId& total = result[input];
            total = total == NodeId::none ? share : build::elementwise(graph_, Primitive::add, {total, share}, span_);
        };
        for (size_t i : flowing_) add(i, parts[next++]);
        for (size_t i : added_) add(carries() + i, parts[next++]);
        for (const IterationRead& read : reads_) add(carries() + read.capture, unstacked(read, parts[next++]));
        for (size_t i = 0; i < result.size(); ++i)
            if (!needed_[i]) result[i] = NodeId::none;
    }

    /// The gradient of the capture, from the gradients of its slices stacked by iteration.
    NodeId unstacked(const IterationRead& read, NodeId stacked) {
        const Node& node = forward_[read.node];
        Gather lookup = attribute<Gather>(node);
        const Shape& table = graph_.type(inputs_[carries() + read.capture]).shape;
        std::vector<int> order;
        int from = iteration_axis(node.type.shape), rank = node.type.rank();
        for (int i = 0; i < rank; ++i) order.push_back(i < from ? i : i + 1);
        order.insert(order.begin() + lookup.axis, from);
        NodeId x = build::permute(graph_, stacked, order, span_);
        if (node.inputs[1] == names_.iteration)
            return build::pad(graph_, x, std::vector<int64_t>(table.size(), 0), table, 0, span_);
        return build::scatter(graph_, x, over_iterations(node.inputs[1]), lookup, table, span_);
    }

    /// The values of an index expression in all iterations, as a tensor [iterations].
    NodeId over_iterations(NodeId at) {
        Shape all{scan_.iterations};
        std::unordered_map<NodeId, NodeId> values;
        for (NodeId id : reachable(forward_, {at})) {
            const Node& node = forward_[id];
            std::vector<NodeId> inputs;
            for (NodeId input : node.inputs) inputs.push_back(values.at(input));
            values[id] = id == names_.iteration ? build::iota(graph_, all, 0, Dtype::i32, span_)
                                                : graph_.add(node.op, {node.type.dtype, all}, std::move(inputs),
                                                             node.attributes, node.span);
        }
        return values.at(at);
    }

    NodeId copy(NodeId forward) const { return forward == NodeId::none ? forward : copies_[index(forward)]; }
    NodeId zeros(Graph& graph, const Type& type) const {
        return build::constant(graph, 0, type.dtype, type.shape, span_);
    }

    Graph& graph_;
    NodeId id_;
    Scan scan_;
    std::vector<NodeId> inputs_;
    Span span_;
    std::shared_ptr<const Graph> shared_;
    const Graph& forward_;
    ScanInputs names_;
    const std::unordered_map<int, NodeId>& part_gradients_;
    const std::vector<bool>& needed_;
    const DerivativeRules& rules_;

    std::vector<size_t> yields_;  // numbers of yields that received a gradient
    std::vector<size_t> flowing_; // carries of the forward scan that have a gradient, in order
    std::vector<NodeId> seeded_;  // results of the forward body that receive a gradient
    Graph body_;
    NodeId iteration_ = NodeId::none;
    std::vector<NodeId> copies_; // of the forward body's nodes
    std::vector<Seed> seeds_;
    std::vector<NodeId> start_, captures_; // of the reverse scan: initial carries, captures
    std::vector<size_t> added_;            // captures whose gradients are summed over the iterations
    std::vector<IterationRead> reads_;
};

} // namespace

std::vector<NodeId> scan_gradient(Graph& graph, NodeId scan, const std::unordered_map<int, NodeId>& part_gradients,
                                  const std::vector<bool>& needed, const DerivativeRules& rules) {
    return ReverseScan(graph, scan, part_gradients, needed, rules).run();
}

} // namespace gradc
