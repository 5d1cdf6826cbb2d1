// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Chains of linear maps: products of products with only biases added between, each read by the next one alone.
//     (x W1 + b1) W2 + b2  ->  x (W1 W2) + (b1 W2 + b2)
// Such a chain is one product of many factors and a shift. The factors are multiplied in the order with the fewest
// multiply-adds for the compiled batch. If that saves nothing, the chain stays as written. A value with two readers,
// such as a layer's value that a weight gradient needs, is a factor of its own: its chain ends there. Chains are built
// from inputs to readers, each from the chains of its operands. Their length is bounded, so the work is linear in the
// nodes.
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/optimize/passes.h"
#include "compiler/optimize/product_order.h"
#include <algorithm>
#include <optional>

namespace gradc {
namespace {

constexpr size_t most_nodes = 24; // a longer chain stays a factor of the next; nearly all are shorter

struct Factor {
    NodeId node = NodeId::none; // of the old graph
    Labels labels;
};

/// A term that is added to a chain and broadcast along the labels that it lacks: a leaf, the sum of two shifts, or a
/// shift times factors.
struct Shift {
    NodeId leaf = NodeId::none;
    std::vector<Shift> parts;    // sum: two; product: one
    std::vector<Factor> factors; // product
    Labels labels;               // of the result's axes, in order
    ProductOrder order = {};     // product: set when the chain is complete
};

/// The factors of a node, with labels. `out`: the free labels in the order of the node's axes.
struct Chain {
    std::vector<Factor> factors;
    Labels out;
    std::optional<Shift> shift;
    double cost = 0;            // multiply-adds as written
    std::vector<NodeId> inside; // nodes that the chain replaces
};

bool has(const Labels& labels, int label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }

class Collapse {
public:
    Collapse(const Graph& graph, int64_t batch) : graph_(graph), batch_(batch), uses_(graph.size(), 0) {
        std::vector<NodeId> roots;
        for (const Output& output : graph.outputs) {
            roots.push_back(output.node);
            ++uses_[index(output.node)];
        }
        reached_ = reachable(graph, roots);
        for (NodeId id : reached_)
            for (NodeId input : graph[id].inputs) ++uses_[index(input)];
    }

    Graph run() {
        find_chains();
        if (plans_.empty()) return graph_;
        std::vector<NodeId> to(graph_.size(), NodeId::none);
        return rebuild(graph_, [&](Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
            auto plan = plans_.find(old);
            to[index(old)] = plan == plans_.end() ? copy_node(graph_, old, inputs, target)
                                                  : build_chain(target, graph_[old], plan->second, to);
            return to[index(old)];
        });
    }

private:
    struct Plan {
        Chain chain;
        ProductOrder order;
    };

    // ---- finding chains -------------------------------------------------------------------------

    void find_chains() {
        std::vector<bool> covered(graph_.size(), false);
        for (NodeId id : reached_) // operands before readers
            if (chainable(id))
                if (Chain chain = expanded(id); chain.factors.size() >= 2) chains_.emplace(id, std::move(chain));
        for (auto id = reached_.rbegin(); id != reached_.rend(); ++id) { // the longest chains first
            auto found = chains_.find(*id);
            if (found == chains_.end() || covered[index(*id)] || found->second.factors.size() < 3) continue;
            Chain& chain = found->second;
            ProductOrder order = ordered(labels_of(chain.factors), chain.out);
            double cost = order.cost + (chain.shift ? settle(*chain.shift) : 0);
            if (cost >= chain.cost) continue;
            for (NodeId inner : chain.inside) covered[index(inner)] = true;
            plans_.emplace(*id, Plan{std::move(chain), std::move(order)});
        }
    }

    bool chainable(NodeId id) const {
        const Node& node = graph_[id];
        if (!floating(node.type.dtype)) return false;
        return node.op == Op::contract ||
               (node.op == Op::elementwise && attribute<Elementwise>(node).primitive == Primitive::add);
    }

    Labels fresh_labels(NodeId id) {
        Labels labels;
        for (int64_t size : graph_.type(id).shape) {
            labels.push_back(int(size_of_label_.size()));
            size_of_label_.push_back(size);
        }
        return labels;
    }

    Chain opaque(NodeId id) {
        Chain single;
        single.out = fresh_labels(id);
        single.factors = {{id, single.out}};
        return single;
    }

    Chain expanded(NodeId id) {
        if (graph_[id].op == Op::contract) return product(id);
        if (std::optional<Chain> chain = shifted(id)) return *std::move(chain);
        return opaque(id);
    }

    /// An operand with this one reader is split into its factors.
    Chain operand(NodeId id) {
        auto known = uses_[index(id)] == 1 ? chains_.find(id) : chains_.end();
        return known == chains_.end() || known->second.inside.size() >= most_nodes ? opaque(id) : known->second;
    }

    using NewNames = std::map<int, int>; // of labels
    static void rename(Labels& labels, const NewNames& names) {
        for (int& label : labels)
            if (auto found = names.find(label); found != names.end()) label = found->second;
    }
    static void rename(Shift& shift, const NewNames& names) {
        rename(shift.labels, names);
        for (Factor& factor : shift.factors) rename(factor.labels, names);
        for (Shift& part : shift.parts) rename(part, names);
    }
    static void rename(Chain& chain, const NewNames& names) {
        for (Factor& factor : chain.factors) rename(factor.labels, names);
        rename(chain.out, names);
        if (chain.shift) rename(*chain.shift, names);
    }

    Chain product(NodeId id) {
        const Node& node = graph_[id];
        Chain left = operand(node.inputs[0]), right = operand(node.inputs[1]);
        if (left.shift && right.shift) right = opaque(node.inputs[1]);
        if (auto chain = combined(id, std::move(left), std::move(right))) return *std::move(chain);
        return *combined(id, opaque(node.inputs[0]), opaque(node.inputs[1]));
    }

    /// nullopt if a shift cannot be multiplied.
    std::optional<Chain> combined(NodeId id, Chain left, Chain right) {
        const Contract& labels = attribute<Contract>(graph_[id]);
        NewNames meant,
            names; // labels of the contraction; labels of the right chain that the left one has too
        for (size_t i = 0; i < labels.left.size(); ++i) meant[labels.left[i]] = left.out[i];
        for (size_t i = 0; i < labels.right.size(); ++i)
            names[right.out[i]] = meant.emplace(labels.right[i], right.out[i]).first->second;
        rename(right, names);
        Chain result;
        for (int label : labels.out) result.out.push_back(meant.at(label));
        if (left.shift) result.shift = multiplied(*left.shift, right.factors, result.out, left.out);
        if (right.shift) result.shift = multiplied(*right.shift, left.factors, result.out, right.out);
        if ((left.shift || right.shift) && !result.shift) return std::nullopt;
        result.cost =
            left.cost + right.cost + contraction_cost(left.out, right.out, sizes_among({left.out, right.out}));
        result.inside = std::move(left.inside);
        result.inside.insert(result.inside.end(), right.inside.begin(), right.inside.end());
        result.inside.push_back(id);
        result.factors = std::move(left.factors);
        result.factors.insert(result.factors.end(), right.factors.begin(), right.factors.end());
        return result;
    }

    /// The shift times the factors of the other side; nullopt if an axis that the shift lacks would have to be summed.
    static std::optional<Shift> multiplied(const Shift& shift, const std::vector<Factor>& factors, const Labels& out,
                                           const Labels& own) {
        Labels others;
        for (const Factor& factor : factors) others.insert(others.end(), factor.labels.begin(), factor.labels.end());
        for (int label : own)
            if (!has(shift.labels, label) && !has(out, label)) return std::nullopt;
        Shift result;
        result.parts = {shift};
        result.factors = factors;
        for (int label : out)
            if (has(shift.labels, label) || has(others, label)) result.labels.push_back(label);
        return result;
    }

    /// chain + bias, with the bias broadcast along some axes.
    std::optional<Chain> shifted(NodeId id) {
        const Node& node = graph_[id];
        for (size_t side = 0; side < 2; ++side) {
            NodeId bias = node.inputs[1 - side], value = node.inputs[side];
            if (graph_[bias].op != Op::broadcast) continue;
            Chain chain = operand(value);
            if (chain.factors.size() < 2 || !add_bias(chain, graph_[bias])) continue;
            chain.inside.push_back(id);
            return chain;
        }
        return std::nullopt;
    }

    /// False if axes are stretched, or if two shifts differ in their axes.
    bool add_bias(Chain& chain, const Node& spread) const {
        const Shape& shape = graph_.type(spread.inputs[0]).shape;
        const auto& axes = attribute<Axes>(spread).axes;
        Shift leaf;
        leaf.leaf = spread.inputs[0];
        for (size_t i = 0; i < axes.size(); ++i) {
            if (shape[i] != spread.type.shape[size_t(axes[i])]) return false;
            leaf.labels.push_back(chain.out[size_t(axes[i])]);
        }
        if (!chain.shift) {
            chain.shift = std::move(leaf);
            return true;
        }
        if (chain.shift->labels != leaf.labels) return false;
        Shift sum;
        sum.labels = leaf.labels;
        sum.parts = {*std::move(chain.shift), std::move(leaf)};
        chain.shift = std::move(sum);
        return true;
    }

    // ---- cost -----------------------------------------------------------------------------------

    LabelSizes sizes_among(const std::vector<Labels>& operands) const {
        LabelSizes sizes;
        for (const Labels& labels : operands)
            for (int label : labels) {
                int64_t size = size_of_label_[size_t(label)];
                bool fresh = sizes.of.emplace(label, size == rows ? batch_ : size).second;
                if (fresh && size == rows) sizes.rows.push_back(label);
            }
        return sizes;
    }

    ProductOrder ordered(const std::vector<Labels>& operands, const Labels& out) const {
        return cheapest_order(operands, out, sizes_among(operands));
    }

    static std::vector<Labels> labels_of(const std::vector<Factor>& factors) {
        std::vector<Labels> labels;
        for (const Factor& factor : factors) labels.push_back(factor.labels);
        return labels;
    }

    static std::vector<Labels> labels_of(const Shift& product) {
        std::vector<Labels> labels = labels_of(product.factors);
        labels.insert(labels.begin(), product.parts[0].labels);
        return labels;
    }

    /// Orders the products of a shift; returns their multiply-adds.
    double settle(Shift& shift) const {
        double cost = 0;
        if (!shift.factors.empty()) {
            shift.order = ordered(labels_of(shift), shift.labels);
            cost = shift.order.cost;
        }
        for (Shift& part : shift.parts) cost += settle(part);
        return cost;
    }

    // ---- the new nodes --------------------------------------------------------------------------

    /// Labels 0, 1, 2 .. in the order of their first use.
    static Contract numbered(const Labels& left, const Labels& right, const Labels& out) {
        NewNames names;
        for (const Labels* side : {&left, &right})
            for (int label : *side) names.emplace(label, int(names.size()));
        Contract contract{left, right, out};
        rename(contract.left, names);
        rename(contract.right, names);
        rename(contract.out, names);
        return contract;
    }

    static NodeId multiply(Graph& target, std::vector<NodeId> nodes, std::vector<Labels> labels,
                           const ProductOrder& order, Span span) {
        for (const ProductStep& step : order.steps) {
            Contract contract = numbered(labels[step.left], labels[step.right], step.out);
            nodes.push_back(build::contract(target, nodes[step.left], nodes[step.right], std::move(contract), span));
            labels.push_back(step.out);
        }
        return nodes.back();
    }

    static std::vector<NodeId> nodes_of(const std::vector<Factor>& factors, const std::vector<NodeId>& to) {
        std::vector<NodeId> nodes;
        for (const Factor& factor : factors) nodes.push_back(to[index(factor.node)]);
        return nodes;
    }

    static NodeId build_shift(Graph& target, const Shift& shift, const std::vector<NodeId>& to, Span span) {
        if (shift.leaf != NodeId::none) return to[index(shift.leaf)];
        NodeId first = build_shift(target, shift.parts[0], to, span);
        if (shift.factors.empty())
            return build::elementwise(target, Primitive::add, {first, build_shift(target, shift.parts[1], to, span)},
                                      span);
        std::vector<NodeId> nodes = nodes_of(shift.factors, to);
        nodes.insert(nodes.begin(), first);
        return multiply(target, std::move(nodes), labels_of(shift), shift.order, span);
    }

    static NodeId build_chain(Graph& target, const Node& node, const Plan& plan, const std::vector<NodeId>& to) {
        const Chain& chain = plan.chain;
        NodeId result = multiply(target, nodes_of(chain.factors, to), labels_of(chain.factors), plan.order, node.span);
        if (!chain.shift) return result;
        std::vector<int> axes;
        for (int label : chain.shift->labels)
            axes.push_back(int(std::find(chain.out.begin(), chain.out.end(), label) - chain.out.begin()));
        NodeId shift = build_shift(target, *chain.shift, to, node.span);
        shift = build::broadcast(target, shift, node.type.shape, axes, node.span);
        return build::elementwise(target, Primitive::add, {result, shift}, node.span);
    }

    const Graph& graph_;
    int64_t batch_;
    std::vector<int> uses_;
    std::vector<NodeId> reached_;
    std::vector<int64_t> size_of_label_;
    std::unordered_map<NodeId, Chain> chains_; // of two factors or more
    std::map<NodeId, Plan> plans_;
};

} // namespace

Graph collapse_linear_maps(const Graph& graph, const PassContext& context) {
    return Collapse(graph, context.batch).run();
}

} // namespace gradc
