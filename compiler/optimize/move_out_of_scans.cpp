// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One product over all iterations is faster than one in each. Three kinds leave the loop: products of a slice that an
// iteration reads (x[:, t] @ w) are computed before it, products that an iteration only yields behind it, and a carry
// that only adds up products, as the gradient of a weight does, is one product over all iterations. A product that a
// derivative computes again from saved carries is saved by the first scan instead.
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/scan.h"
#include "compiler/optimize/passes.h"
#include <algorithm>
#include <map>

namespace gradc {

namespace {

constexpr double least_summed = 32; // terms of a sum that are worth a pass over memory

/// A scan with its body, and what its nodes are.
struct Loop {
    Loop(const Graph& outer, NodeId id)
        : outer(outer), id(id), scan(attribute<Scan>(outer[id])), shared(outer.shared_body(scan.body)), body(*shared),
          names(scan_inputs(body)), uses(body.size()) {
        std::vector<NodeId> roots;
        for (const Output& output : body.outputs) roots.push_back(output.node), ++uses[index(output.node)];
        nodes = reachable(body, roots);
        for (NodeId node : nodes)
            for (NodeId input : body[node].inputs) ++uses[index(input)];
    }
    /// The outer node that a capture stands for; NodeId::none for other nodes.
    NodeId captured(NodeId node) const {
        const auto* input = std::get_if<Input>(&body[node].attributes);
        if (!input || input->source != Input::Source::capture) return NodeId::none;
        return outer[id].inputs[size_t(scan.carries) + std::stoul(input->name)];
    }
    /// The captured tensor of which iteration t reads slice t, all slices in all; NodeId::none for other nodes.
    NodeId sliced(NodeId node) const {
        const Node& gather = body[node];
        if (gather.op != Op::gather || gather.inputs[1] != names.iteration) return NodeId::none;
        const Gather& at = attribute<Gather>(gather);
        bool whole = body.type(gather.inputs[0]).shape[size_t(at.axis)] == scan.iterations;
        return whole ? captured(gather.inputs[0]) : NodeId::none;
    }

    const Graph& outer;
    NodeId id;
    Scan scan;
    std::shared_ptr<const Graph> shared;
    const Graph& body;
    ScanInputs names;
    std::vector<int> uses; // in the body, outputs included
    std::vector<NodeId> nodes;
};

/// Elements of one iteration.
double elements(const Shape& shape, int64_t batch) {
    double result = 1;
    for (int64_t size : shape) result *= double(size == rows ? batch : size);
    return result;
}

/// Multiply-adds for each element of a product.
double summed(const Graph& graph, const Node& product, int64_t batch) {
    const Contract& labels = attribute<Contract>(product);
    double result = 1;
    for (size_t i = 0; i < labels.left.size(); ++i)
        if (std::find(labels.out.begin(), labels.out.end(), labels.left[i]) == labels.out.end())
            result *= elements({graph.type(product.inputs[0]).shape[i]}, batch);
    return result;
}

/// The labels with `extra` at axis `axis`.
std::vector<int> with(std::vector<int> labels, int extra, int axis) {
    labels.insert(labels.begin() + axis, extra);
    return labels;
}

int fresh_label(const Contract& labels) {
    int most = 0;
    for (const auto* list : {&labels.left, &labels.right})
        for (int label : *list) most = std::max(most, label);
    return most + 1;
}

/// A scan's body that gets more captures and yields, then the new scan and its parts.
class Extension {
public:
    Extension(const Loop& loop, std::vector<NodeId> inputs)
        : loop_(loop), inputs_(std::move(inputs)), body_(loop.body.shared_primitives()) {}

    /// Replaces `node` of the body by slice t of `stacked`, a node of the new outer graph, along `axis`.
    void replace(const Graph& target, NodeId node, NodeId stacked, int axis) {
        NodeId capture = capture_input(body_, inputs_.size() - size_t(loop_.scan.carries), target.type(stacked));
        inputs_.push_back(stacked);
        NodeId iteration = iteration_input(body_, loop_.scan.iterations);
        bound_[node] = build::gather(body_, capture, iteration, {axis, 0}, loop_.body[node].span);
    }
    /// The number of the part in which `node` of the body is stacked.
    int yield(NodeId node) {
        for (size_t i = size_t(loop_.scan.carries); i < loop_.body.outputs.size(); ++i)
            if (loop_.body.outputs[i].node == node) return int(i);
        auto at = std::find(yields_.begin(), yields_.end(), node);
        if (at == yields_.end()) at = yields_.insert(at, node);
        return int(loop_.body.outputs.size()) + int(at - yields_.begin());
    }
    bool yields(NodeId node) const {
        for (size_t i = size_t(loop_.scan.carries); i < loop_.body.outputs.size(); ++i)
            if (loop_.body.outputs[i].node == node) return true;
        return std::find(yields_.begin(), yields_.end(), node) != yields_.end();
    }
    bool changes() const { return !yields_.empty() || !bound_.empty(); }
    NodeId add(Graph& target) {
        std::vector<NodeId> roots;
        for (const Output& output : loop_.body.outputs) roots.push_back(output.node);
        roots.insert(roots.end(), yields_.begin(), yields_.end());
        auto copies = inline_graph(loop_.body, roots, body_, bound_);
        for (size_t i = 0; i < copies.size(); ++i)
            body_.outputs.push_back({i < loop_.body.outputs.size() ? loop_.body.outputs[i].name : "", copies[i]});
        scan_ = loop_.scan;
        scan_.body = target.add_body(std::move(body_));
        return added_ = target.add(Op::scan, scan_type(), inputs_, scan_, loop_.outer[loop_.id].span);
    }
    NodeId part(Graph& target, int number) const {
        return target.add(Op::part, part_type(target, scan_, number), {added_}, Part{number},
                          loop_.outer[loop_.id].span);
    }

private:
    const Loop& loop_;
    std::vector<NodeId> inputs_;
    Graph body_;
    std::unordered_map<NodeId, NodeId> bound_;
    std::vector<NodeId> yields_;
    Scan scan_;
    NodeId added_ = NodeId::none;
};

using Parts = std::map<std::pair<NodeId, int>, NodeId>; // of a scan of the old graph, by number: nodes of the new one

/// The graph with scans replaced. `extend(target, loop, inputs, parts)` returns the new scan, NodeId::none to copy the old
/// one, and sets `parts` of the old scan that have other values.
template <class Extend> Graph rebuild_scans(const Graph& graph, const Extend& extend) {
    Parts parts;
    return rebuild(graph, [&](Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
        const Node& node = graph[old];
        if (node.op == Op::scan) return extend(target, Loop(graph, old), inputs, parts);
        if (node.op != Op::part) return NodeId::none;
        auto known = parts.find({node.inputs[0], attribute<Part>(node).number});
        return known == parts.end() ? NodeId::none : known->second;
    });
}

// ---- products that a derivative computes again ---------------------------------------------------

/// Product `again` of one scan is product `first` of an earlier one.
struct Saved {
    NodeId again, scan, first;
};

/// The products of the body that an earlier scan computes too, of the slices that it yields.
std::vector<Saved> find_saved(const Graph& graph, const Loop& loop, int64_t batch) {
    std::vector<Saved> result;
    for (NodeId id : loop.nodes) {
        const Node& node = loop.body[id];
        if (node.op != Op::contract || summed(loop.body, node, batch) < least_summed) continue;
        for (size_t side = 0; side < 2; ++side) {
            NodeId stacked = loop.sliced(node.inputs[side]), other = loop.captured(node.inputs[1 - side]);
            if (stacked == NodeId::none || other == NodeId::none || graph[stacked].op != Op::part) continue;
            Loop first(graph, graph[stacked].inputs[0]);
            int number = attribute<Part>(graph[stacked]).number;
            if (first.scan.iterations != loop.scan.iterations || number < first.scan.carries) continue;
            NodeId slice = first.body.outputs[size_t(number)].node;
            if (attribute<Gather>(loop.body[node.inputs[side]]).axis != iteration_axis(first.body.type(slice).shape))
                continue;
            for (NodeId candidate : first.nodes) {
                const Node& product = first.body[candidate];
                if (product.op == Op::contract && product.inputs[side] == slice &&
                    product.attributes == node.attributes && first.captured(product.inputs[1 - side]) == other)
                    result.push_back({id, first.id, candidate});
            }
        }
    }
    return result;
}

Graph save_products(const Graph& graph, int64_t batch) {
    std::map<NodeId, std::vector<Saved>> readers; // by the scan that computes again
    std::map<NodeId, std::vector<NodeId>> wanted; // by the scan that computes first
    for (uint32_t i = 0; i < graph.size(); ++i) {
        if (graph[NodeId(i)].op != Op::scan) continue;
        for (const Saved& saved : find_saved(graph, Loop(graph, NodeId(i)), batch)) {
            readers[NodeId(i)].push_back(saved);
            wanted[saved.scan].push_back(saved.first);
        }
    }
    if (readers.empty()) return graph;
    std::map<std::pair<NodeId, NodeId>, NodeId> stacked; // by scan and product: the part in the new graph
    return rebuild_scans(graph, [&](Graph& target, const Loop& loop, const std::vector<NodeId>& inputs, Parts&) {
        Extension extension(loop, inputs);
        for (const Saved& saved : readers[loop.id]) {
            int axis = iteration_axis(loop.body.type(saved.again).shape);
            extension.replace(target, saved.again, stacked.at({saved.scan, saved.first}), axis);
        }
        for (NodeId first : wanted[loop.id]) extension.yield(first);
        if (!extension.changes()) return NodeId::none;
        NodeId scan = extension.add(target);
        for (NodeId first : wanted[loop.id]) stacked[{loop.id, first}] = extension.part(target, extension.yield(first));
        return scan;
    });
}

// ---- products before and behind the loop ---------------------------------------------------------

class Mover {
public:
    Mover(Graph& target, const Loop& loop, const std::vector<NodeId>& inputs, int64_t batch)
        : target_(target), loop_(loop), body_(loop.body), inputs_(inputs), batch_(batch), extension_(loop, inputs) {}

    NodeId run(Parts& parts) {
        for (NodeId id : loop_.nodes) move_before(id);
        for (size_t i = 0; i < size_t(loop_.scan.carries); ++i) find_sum(i);
        for (size_t i = size_t(loop_.scan.carries); i < body_.outputs.size(); ++i) find_yield(i);
        if (!extension_.changes() && behind_.empty()) return NodeId::none;
        NodeId scan = extension_.add(target_);
        for (const auto& [number, terms] : behind_) {
            NodeId total = NodeId::none;
            bool carry = number < size_t(loop_.scan.carries);
            if (carry && !is_zero(inputs_[number])) total = inputs_[number];
            for (NodeId term : terms) {
                NodeId product = over_all(term, carry);
                total = total == NodeId::none ? product
                                              : build::elementwise(target_, Primitive::add, {total, product}, span());
            }
            parts[{loop_.id, int(number)}] = total;
        }
        return scan;
    }

private:
    Span span() const { return loop_.outer[loop_.id].span; }
    double size(NodeId node) const { return elements(body_.type(node).shape, batch_); }
    NodeId in_target(NodeId body_capture) const {
        size_t number = std::stoul(attribute<Input>(body_[body_capture]).name);
        return inputs_[size_t(loop_.scan.carries) + number];
    }
    bool is_zero(NodeId node) const {
        const auto* constant = std::get_if<Constant>(&target_[node].attributes);
        return constant && constant->values.size() == 1 && constant->values[0] == 0;
    }
    /// Elements that each iteration has to store so that all of them can be read behind the loop.
    double stored(NodeId node) const {
        return loop_.sliced(node) != NodeId::none || extension_.yields(node) ? 0 : size(node);
    }

    void move_before(NodeId id) {
        const Node& node = body_[id];
        if (node.op != Op::contract || summed(body_, node, batch_) < least_summed) return;
        for (size_t side = 0; side < 2; ++side) {
            NodeId slice = node.inputs[side], other = node.inputs[1 - side];
            if (loop_.sliced(slice) == NodeId::none || loop_.captured(other) == NodeId::none) continue;
            Contract labels = attribute<Contract>(node);
            int all = fresh_label(labels), axis = iteration_axis(node.type.shape);
            auto& sliced = side == 0 ? labels.left : labels.right;
            sliced = with(sliced, all, attribute<Gather>(body_[slice]).axis);
            labels.out = with(labels.out, all, axis);
            std::vector<NodeId> operands(2);
            operands[side] = in_target(body_[slice].inputs[0]);
            operands[1 - side] = in_target(other);
            NodeId product = build::contract(target_, operands[0], operands[1], labels, node.span);
            return extension_.replace(target_, id, product, axis);
        }
    }

    /// A carry that is read only to add products to it.
    void find_sum(size_t carry) {
        NodeId input = carry < loop_.names.carries.size() ? loop_.names.carries[carry] : NodeId::none;
        NodeId output = body_.outputs[carry].node;
        if (input == NodeId::none || loop_.uses[index(input)] != 1) return;
        std::vector<NodeId> terms, waiting{output};
        bool found = false;
        while (!waiting.empty()) {
            NodeId id = waiting.back();
            waiting.pop_back();
            const Node& node = body_[id];
            bool add = node.op == Op::elementwise && attribute<Elementwise>(node).primitive == Primitive::add;
            if (id == input) found = true;
            else if (loop_.uses[index(id)] != 1) return;
            else if (add) waiting.insert(waiting.end(), node.inputs.begin(), node.inputs.end());
            else if (node.op == Op::contract && varies(node.inputs[0]) && varies(node.inputs[1])) terms.push_back(id);
            else return;
        }
        double more = 0;
        for (NodeId term : terms) more += stored(body_[term].inputs[0]) + stored(body_[term].inputs[1]);
        if (found && !terms.empty() && more <= size(output)) move_behind(carry, terms);
    }

    /// A product with a captured factor that is yielded and not read.
    void find_yield(size_t number) {
        NodeId id = body_.outputs[number].node;
        const Node& node = body_[id];
        if (node.op != Op::contract || loop_.uses[index(id)] != 1) return;
        for (size_t side = 0; side < 2; ++side)
            if (loop_.captured(node.inputs[1 - side]) != NodeId::none && varies(node.inputs[side]) &&
                stored(node.inputs[side]) <= size(id))
                return move_behind(number, {id});
    }

    void move_behind(size_t number, const std::vector<NodeId>& terms) {
        for (NodeId term : terms)
            for (NodeId operand : body_[term].inputs)
                if (varies(operand) && loop_.sliced(operand) == NodeId::none) extension_.yield(operand);
        behind_.push_back({number, terms});
    }

    /// Not the same in all iterations; only captures are looked at.
    bool varies(NodeId node) const { return loop_.captured(node) == NodeId::none && body_[node].op != Op::constant; }

    /// A product of the body over all iterations: summed, or stacked along the iteration axis.
    NodeId over_all(NodeId id, bool sums) {
        const Node& node = body_[id];
        Contract labels = attribute<Contract>(node);
        int all = fresh_label(labels);
        std::vector<NodeId> operands;
        for (size_t side = 0; side < 2; ++side) {
            auto& own = side == 0 ? labels.left : labels.right;
            NodeId operand = node.inputs[side];
            if (!varies(operand)) {
                operands.push_back(in_target(operand));
            } else if (loop_.sliced(operand) != NodeId::none) {
                own = with(own, all, attribute<Gather>(body_[operand]).axis);
                operands.push_back(in_target(body_[operand].inputs[0]));
            } else {
                own = with(own, all, iteration_axis(body_.type(operand).shape));
                operands.push_back(extension_.part(target_, extension_.yield(operand)));
            }
        }
        if (!sums) labels.out = with(labels.out, all, iteration_axis(node.type.shape));
        return build::contract(target_, operands[0], operands[1], labels, node.span);
    }

    Graph& target_;
    const Loop& loop_;
    const Graph& body_;
    const std::vector<NodeId>& inputs_;
    int64_t batch_;
    Extension extension_;
    std::vector<std::pair<size_t, std::vector<NodeId>>> behind_; // by number of the output: products of the body
};

} // namespace

Graph move_out_of_scans(const Graph& graph, const PassContext& context) {
    if (graph.body_count() == 0) return graph;
    Graph saved = prune_scans(save_products(prune_scans(graph), context.batch));
    return prune_scans(
        rebuild_scans(saved, [&](Graph& target, const Loop& loop, const std::vector<NodeId>& inputs, Parts& parts) {
            return Mover(target, loop, inputs, context.batch).run(parts);
        }));
}

} // namespace gradc
