// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One walk from the results to smaller ids. All readers of a node are visited before it, so its gradient is complete;
// the node then adds its share to the gradient of each input.
#include "compiler/gradient/gradient.h"
#include "compiler/gradient/backward.h"
#include "compiler/gradient/mask.h"
#include "compiler/gradient/transpose.h"
#include "compiler/graph/build.h"
#include "compiler/util/check.h"
#include <algorithm>

namespace gradc {

std::vector<bool> depends_on(const Graph& graph, const std::vector<NodeId>& wrt) {
    std::vector<bool> result(graph.size(), false);
    uint32_t first = uint32_t(graph.size());
    for (NodeId id : wrt) {
        if (floating(graph.type(id).dtype)) result[index(id)] = true;
        first = std::min(first, index(id));
    }
    for (uint32_t i = first; i < graph.size(); ++i) {
        const Node& node = graph[NodeId(i)];
        if (result[i] || node.inputs.empty()) continue;
        if (node.op != Op::scan && !floating(node.type.dtype)) continue;
        for (size_t k = node.op == Op::custom_gradient ? 1 : 0; k < node.inputs.size() && !result[i]; ++k)
            result[i] = result[index(node.inputs[k])];
    }
    return result;
}

namespace {

/// True if a custom_gradient's result is computed from its arguments by elementwise nodes alone; then its clause is
/// elementwise as well.
bool elementwise_custom_gradient(const Graph& graph, NodeId id) {
    const Node& custom_gradient = graph[id];
    std::unordered_set<NodeId> seen(custom_gradient.inputs.begin() + 1, custom_gradient.inputs.end());
    for (NodeId argument : seen)
        if (graph.type(argument).shape != custom_gradient.type.shape) return false;
    std::vector<NodeId> waiting{custom_gradient.inputs[0]};
    for (constexpr size_t most = 256; !waiting.empty();) {
        NodeId next = waiting.back();
        waiting.pop_back();
        if (!seen.insert(next).second || graph[next].op == Op::constant) continue;
        bool spread_constant = graph[next].op == Op::broadcast && graph[graph[next].inputs[0]].op == Op::constant;
        if (spread_constant) continue;
        if (kind(graph[next].op) != Kind::elementwise || seen.size() > most) return false;
        waiting.insert(waiting.end(), graph[next].inputs.begin(), graph[next].inputs.end());
    }
    return true;
}

class Backward {
public:
    Backward(Graph& graph, const std::vector<NodeId>& wrt, const DerivativeRules& rules,
             const std::unordered_set<NodeId>& cuts)
        : graph_(graph), rules_(rules), cuts_(cuts), depends_(depends_on(graph, wrt)),
          received_(graph.size(), NodeId::none), masks_(graph) {}

    void receive(NodeId node, NodeId gradient, MaskId mask = MaskId::none) {
        if (gradient == NodeId::none || !depends_[index(node)]) return;
        check(graph_.type(gradient) == graph_.type(node), "gradient",
              "a gradient " + print(graph_.type(gradient)) + " of a value " + print(graph_.type(node)) + " of " +
                  std::string(name(graph_[node].op)));
        NodeId& total = received_[index(node)];
        if (total == NodeId::none) {
            total = gradient;
            if (mask != MaskId::none) mask_of_[node] = mask;
            return;
        }
        total = build::elementwise(graph_, Primitive::add, {total, gradient}, graph_[node].span);
        auto known = mask_of_.find(node);
        if (known != mask_of_.end() && known->second != mask)
            mask_of_.erase(known); // a sum is masked only if all its terms have the mask
    }

    void run(NodeId last) {
        for (uint32_t i = index(last) + 1; i-- > 0;) {
            NodeId id{i};
            OriginScope origin(graph_, graph_[id].origin);
            if (graph_[id].op == Op::scan && parts_.count(id)) hand_on_scan(id);
            if (received_[i] != NodeId::none && !cuts_.count(id)) hand_on(id, received_[i]);
        }
    }

    NodeId received(NodeId id) const { return received_[index(id)]; }

private:
    MaskId mask(NodeId id) const {
        auto found = mask_of_.find(id);
        return found == mask_of_.end() ? MaskId::none : found->second;
    }

    void hand_on(NodeId id, NodeId gradient) {
        const Node& node = graph_[id];
        switch (kind(node.op)) {
        case Kind::leaf: return;
        case Kind::effect: return receive(node.inputs[0], gradient);
        case Kind::elementwise:
            return node.op == Op::cast ? hand_on_linear(id, gradient) : hand_on_scalar(id, gradient);
        case Kind::loop: parts_[node.inputs[0]][attribute<Part>(node).number] = gradient; return;
        default: return hand_on_linear(id, gradient);
        }
    }

    void hand_on_linear(NodeId id, NodeId gradient) {
        const Node& node = graph_[id];
        for (size_t k = 0; k < node.inputs.size(); ++k)
            if (depends_[index(node.inputs[k])])
                receive(node.inputs[k], transposed(graph_, id, int(k), gradient), masks_.moved(id, mask(id)));
    }

    /// Elementwise and custom_gradient nodes, by the library's clauses.
    void hand_on_scalar(NodeId id, NodeId gradient) {
        const Node& node = graph_[id];
        bool custom_gradient = node.op == Op::custom_gradient;
        bool select = !custom_gradient && attribute<Elementwise>(node).primitive == Primitive::select;
        for (size_t k = custom_gradient ? 1 : 0; k < node.inputs.size(); ++k) {
            NodeId input = node.inputs[k];
            if (!depends_[index(input)]) continue;
            NodeId share = custom_gradient ? rules_.custom_gradient_derivative(graph_, id, int(k) - 1, gradient)
                                           : rules_.elementwise_derivative(graph_, id, int(k), gradient);
            if (share == NodeId::none) continue;
            if (select) receive(input, share, masks_.both(mask(id), masks_.of_select(node.inputs[0], k == 1)));
            else if (custom_gradient && !elementwise_custom_gradient(graph_, id)) receive(input, share);
            else receive(input, masks_.masked(share, gradient, mask(id)), mask(id));
        }
    }

    void hand_on_scan(NodeId id) {
        const auto& inputs = graph_[id].inputs;
        std::vector<bool> needed;
        for (NodeId input : inputs) needed.push_back(depends_[index(input)]);
        auto shares = scan_gradient(graph_, id, parts_.at(id), needed, rules_);
        for (size_t k = 0; k < inputs.size(); ++k) receive(inputs[k], shares[k]);
    }

    Graph& graph_;
    const DerivativeRules& rules_;
    const std::unordered_set<NodeId>& cuts_;
    std::vector<bool> depends_;
    std::vector<NodeId> received_; // by node: the sum of its gradients so far
    Masks masks_;
    std::unordered_map<NodeId, MaskId> mask_of_;                        // of a node's gradient
    std::unordered_map<NodeId, std::unordered_map<int, NodeId>> parts_; // by scan: gradients of its parts
};

} // namespace

std::vector<NodeId> backpropagate(Graph& graph, const std::vector<Seed>& seeds, const std::vector<NodeId>& wrt,
                                  const DerivativeRules& rules, const std::unordered_set<NodeId>& cuts) {
    Backward backward(graph, wrt, rules, cuts);
    NodeId last{0};
    for (const Seed& seed : seeds) {
        backward.receive(seed.node, seed.gradient);
        last = std::max(last, seed.node);
    }
    if (!seeds.empty()) backward.run(last);
    std::vector<NodeId> result;
    for (NodeId id : wrt) result.push_back(backward.received(id));
    return result;
}

std::vector<NodeId> gradient(Graph& graph, NodeId y, const std::vector<NodeId>& wrt, const DerivativeRules& rules,
                             NodeId seed) {
    const Type& type = graph.type(y);
    if (!floating(type.dtype)) return std::vector<NodeId>(wrt.size(), NodeId::none);
    if (seed == NodeId::none) seed = build::constant(graph, 1, type.dtype, type.shape, graph[y].span);
    return backpropagate(graph, {{y, seed}}, wrt, rules);
}

} // namespace gradc
