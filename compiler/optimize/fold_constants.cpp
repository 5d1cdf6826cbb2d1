// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The evaluator computes nodes whose inputs are constants, one at a time, rounded to their dtype. A constant with one
// value everywhere stores a single number for any shape. Tables are folded up to a small size.
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include "compiler/graph/rewrite.h"
#include "compiler/optimize/passes.h"

namespace gradc {
namespace {

constexpr int64_t largest_table = 4096; // numbers; a larger result is cheaper to compute than to store

bool constant(const Graph& graph, NodeId id) { return graph[id].op == Op::constant; }

bool one_valued(const Graph& graph, NodeId id) {
    return constant(graph, id) && attribute<Constant>(graph[id]).values.size() == 1;
}

double rounded(double value, Dtype dtype) { return dtype == Dtype::f32 ? double(float(value)) : value; }

/// `node` applied to scalars in place of its one-valued inputs.
double scalar_value(const Graph& graph, const Node& node, const std::vector<NodeId>& inputs) {
    Graph small(graph.shared_primitives());
    std::vector<NodeId> scalars;
    for (NodeId input : inputs)
        scalars.push_back(build::constant(small, attribute<Constant>(graph[input]).values[0], graph.type(input).dtype));
    NodeId result = small.add(node.op, {node.type.dtype, {}}, scalars, node.attributes);
    small.outputs = {{"value", result}};
    return rounded(evaluate(small, {})[0].values[0], node.type.dtype);
}

bool keeps_one_value(Op op) {
    return op == Op::reshape || op == Op::permute || op == Op::broadcast || op == Op::slice || op == Op::window;
}

NodeId fold_table(Graph& target, const Node& node, const std::vector<NodeId>& inputs) {
    Graph small(target.shared_primitives());
    std::vector<NodeId> copies;
    for (NodeId input : inputs) copies.push_back(copy_node(target, input, {}, small));
    NodeId result = small.add(node.op, node.type, copies, node.attributes);
    small.outputs = {{"value", result}};
    std::vector<double> values = evaluate(small, {})[0].values;
    for (double& value : values) value = rounded(value, node.type.dtype);
    return build::constant(target, std::move(values), node.type, node.span);
}

NodeId fold(const Graph& graph, Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
    const Node& node = graph[old];
    Kind what = kind(node.op);
    if (inputs.empty() || (what != Kind::elementwise && what != Kind::move && what != Kind::reduce))
        return NodeId::none;
    for (NodeId input : inputs)
        if (!constant(target, input)) return NodeId::none;
    bool single = true;
    for (NodeId input : inputs) single = single && one_valued(target, input);
    if (single && keeps_one_value(node.op))
        return target.add(Op::constant, node.type, {}, target[inputs[0]].attributes, node.span);
    if (single && (node.op == Op::elementwise || node.op == Op::cast))
        return target.add(Op::constant, node.type, {}, Constant{{scalar_value(target, node, inputs)}}, node.span);
    int64_t size = node.type.has_rows() ? -1 : count(node.type.shape, 1);
    if (size < 0 || size > largest_table) return NodeId::none;
    for (NodeId input : inputs) {
        const Type& type = target.type(input);
        if (type.has_rows() || count(type.shape, 1) > largest_table) return NodeId::none;
    }
    return fold_table(target, node, inputs);
}

} // namespace

Graph fold_constants(const Graph& graph, const PassContext&) {
    return rebuild(graph, [&](Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
        return fold(graph, target, old, inputs);
    });
}

} // namespace gradc
