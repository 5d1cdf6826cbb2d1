// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One case for each op: axes move up by one, and attributes follow. In a scan every carry and capture gets rows.
#include "compiler/dataset/rows.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/util/check.h"
#include <numeric>

namespace gradc {

namespace {

bool of_row(const Node& node, const RowSources& sources) {
    if (node.type.has_rows()) return false; // a column of a whole split
    if (node.op == Op::random) return true;
    if (node.op != Op::input) return false;
    return sources.varies ? sources.varies(node) : attribute<Input>(node).source == Input::Source::field;
}

Shape with_rows(const Shape& shape) {
    Shape result{rows};
    result.insert(result.end(), shape.begin(), shape.end());
    return result;
}

std::vector<int> shifted(std::vector<int> axes, bool leading) {
    for (int& axis : axes) ++axis;
    if (leading) axes.insert(axes.begin(), 0);
    return axes;
}

class Lifting {
public:
    Lifting(const Graph& row, Graph& target, const RowSources& sources)
        : row_(row), target_(target), sources_(sources), differs_(differs_by_row(row, sources)),
          lifted_(row.size(), NodeId::none), fixed_(row.size(), NodeId::none) {}

    std::vector<NodeId> run(const std::vector<NodeId>& roots) {
        for (NodeId id : reachable(row_, roots))
            if (differs_[index(id)] && row_[id].op != Op::scan) lifted_[index(id)] = lift(id);
        std::vector<NodeId> result;
        for (NodeId root : roots) result.push_back(with_rows_of(root));
        return result;
    }

private:
    const Graph& row_;
    Graph& target_;
    const RowSources& sources_;
    std::vector<bool> differs_;
    std::vector<NodeId> lifted_, fixed_;
    std::unordered_map<NodeId, std::vector<NodeId>> parts_; // of scans

    NodeId fixed(NodeId id) {
        NodeId& known = fixed_[index(id)];
        if (known == NodeId::none && sources_.fixed) known = sources_.fixed(target_, id);
        if (known == NodeId::none) known = inline_graph(row_, {id}, target_, {})[0];
        return known;
    }

    NodeId repeated(NodeId node) {
        const Shape shape = target_.type(node).shape;
        std::vector<int> axes(shape.size());
        std::iota(axes.begin(), axes.end(), 1);
        return build::broadcast(target_, node, with_rows(shape), axes);
    }

    NodeId with_rows_of(NodeId id) { return differs_[index(id)] ? lifted_[index(id)] : repeated(fixed(id)); }
    NodeId either(NodeId id) { return differs_[index(id)] ? lifted_[index(id)] : fixed(id); }

    NodeId lift(NodeId id) {
        const Node& node = row_[id];
        if (node.op == Op::input) return sources_.field(target_, node);
        if (node.op == Op::custom_gradient) return with_rows_of(node.inputs[0]);
        if (node.op == Op::part) return part(node);
        Type type{node.type.dtype, with_rows(node.type.shape)};
        if (node.op == Op::random)
            return target_.add(Op::random, type,
                               {fixed(node.inputs[0]), either(node.inputs[1]), sources_.row_numbers(target_)},
                               node.attributes, node.span);
        if (node.op == Op::contract) return contract(node, type);
        if (node.op == Op::gather && !differs_[index(node.inputs[0])] && attribute<Gather>(node).batch == 0)
            return lookup(node);
        std::vector<NodeId> inputs;
        for (NodeId input : node.inputs) inputs.push_back(with_rows_of(input));
        return target_.add(node.op, type, std::move(inputs), lifted_attributes(node), node.span);
    }

    static Attributes lifted_attributes(const Node& node) {
        Attributes attributes = node.attributes;
        bool leading = node.op == Op::permute || node.op == Op::broadcast;
        if (auto* axes = std::get_if<Axes>(&attributes)) axes->axes = shifted(axes->axes, leading);
        if (auto* slice = std::get_if<Slice>(&attributes)) {
            slice->start.insert(slice->start.begin(), 0);
            slice->step.insert(slice->step.begin(), 1);
        }
        if (auto* pad = std::get_if<Pad>(&attributes)) pad->before.insert(pad->before.begin(), 0);
        if (auto* window = std::get_if<Window>(&attributes)) ++window->axis;
        if (auto* gather = std::get_if<Gather>(&attributes)) ++gather->axis, ++gather->batch;
        return attributes;
    }

    NodeId contract(const Node& node, const Type& type) {
        Contract labels = attribute<Contract>(node);
        int fresh = 0;
        for (const auto* side : {&labels.left, &labels.right})
            for (int label : *side) fresh = std::max(fresh, label + 1);
        if (differs_[index(node.inputs[0])]) labels.left.insert(labels.left.begin(), fresh);
        if (differs_[index(node.inputs[1])]) labels.right.insert(labels.right.begin(), fresh);
        labels.out.insert(labels.out.begin(), fresh);
        return target_.add(Op::contract, type, {either(node.inputs[0]), either(node.inputs[1])}, labels, node.span);
    }

    /// One table for all rows: N is in place of the first axis of the index, after the axes before `axis`.
    NodeId lookup(const Node& node) {
        const Gather& gather = attribute<Gather>(node);
        NodeId result = build::gather(target_, fixed(node.inputs[0]), with_rows_of(node.inputs[1]), gather, node.span);
        std::vector<int> order(target_.type(result).shape.size());
        std::iota(order.begin(), order.end(), 0);
        order.erase(order.begin() + gather.axis);
        order.insert(order.begin(), gather.axis);
        return build::permute(target_, result, order, node.span);
    }

    NodeId part(const Node& node) {
        NodeId scan = node.inputs[0];
        auto known = parts_.find(scan);
        if (known == parts_.end()) known = parts_.emplace(scan, lift_scan(row_[scan])).first;
        return known->second[size_t(attribute<Part>(node).number)];
    }

    std::vector<NodeId> lift_scan(const Node& node) {
        const Scan& scan = attribute<Scan>(node);
        const Graph& body = row_.body(scan.body);
        std::vector<NodeId> carries, captures;
        std::vector<bool> varies;
        for (size_t i = 0; i < node.inputs.size(); ++i) {
            NodeId input = node.inputs[i];
            if (i < size_t(scan.carries)) carries.push_back(with_rows_of(input));
            else {
                captures.push_back(either(input));
                varies.push_back(differs_[index(input)]);
            }
        }
        std::string number = std::to_string(captures.size());
        captures.push_back(sources_.row_numbers(target_));
        Graph lifted(row_.shared_primitives());
        RowSources inside;
        inside.field = [](Graph& graph, const Node& input) {
            return graph.add(Op::input, {input.type.dtype, with_rows(input.type.shape)}, {}, input.attributes);
        };
        inside.row_numbers = [number](Graph& graph) {
            return graph.add(Op::input, {Dtype::i32, {rows}}, {}, Input{Input::Source::capture, number, 0, -1});
        };
        inside.varies = [varies](const Node& node) {
            const Input& input = attribute<Input>(node);
            return input.source == Input::Source::carry ||
                   (input.source == Input::Source::capture && varies[std::stoul(input.name)]);
        };
        std::vector<NodeId> roots;
        for (const Output& output : body.outputs) roots.push_back(output.node);
        auto nodes = over_rows(body, roots, lifted, inside);
        for (size_t i = 0; i < nodes.size(); ++i) lifted.outputs.push_back({body.outputs[i].name, nodes[i]});
        return build::scan(target_, std::move(lifted), carries, captures, scan.iterations, scan.reverse, node.span);
    }
};

} // namespace

std::vector<bool> differs_by_row(const Graph& row, const RowSources& sources) {
    std::vector<bool> result(row.size(), false);
    for (uint32_t i = 0; i < row.size(); ++i) {
        const Node& node = row[NodeId(i)];
        result[i] = of_row(node, sources);
        for (NodeId input : node.inputs) result[i] = result[i] || result[index(input)];
        if (node.op == Op::scan && !result[i]) { // random numbers inside the loop
            const Graph& body = row.body(attribute<Scan>(node).body);
            for (uint32_t k = 0; k < body.size(); ++k) result[i] = result[i] || body[NodeId(k)].op == Op::random;
        }
    }
    return result;
}

std::vector<NodeId> over_rows(const Graph& row, const std::vector<NodeId>& roots, Graph& target,
                              const RowSources& sources) {
    return Lifting(row, target, sources).run(roots);
}

} // namespace gradc
