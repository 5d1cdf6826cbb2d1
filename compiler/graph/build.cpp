// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Type inference, and exact simplifications that look at types alone: a reshape to the same shape or a cast to the same
// dtype adds no node.
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <numeric>

namespace gradc::build {

namespace {

bool counts_up(const std::vector<int>& axes) {
    for (size_t i = 0; i < axes.size(); ++i)
        if (axes[i] != int(i)) return false;
    return true;
}

Dtype result_dtype(Primitive primitive, Dtype input) {
    switch (primitive) {
    case Primitive::less:
    case Primitive::less_equal:
    case Primitive::equal: return Dtype::boolean;
    case Primitive::bits: return input == Dtype::f64 ? Dtype::i64 : Dtype::i32;
    case Primitive::from_bits: return input == Dtype::i64 ? Dtype::f64 : Dtype::f32;
    default: return input;
    }
}

NodeId reduce(Graph& graph, Op op, NodeId x, std::vector<int> axes, Span span) {
    std::sort(axes.begin(), axes.end());
    if (axes.empty()) return x;
    const Type& in = graph.type(x);
    Type type{in.dtype, {}};
    for (int i = 0; i < in.rank(); ++i)
        if (!std::binary_search(axes.begin(), axes.end(), i)) type.shape.push_back(in.shape[size_t(i)]);
    return graph.add(op, std::move(type), {x}, Axes{std::move(axes)}, span);
}

} // namespace

NodeId constant(Graph& graph, double value, Dtype dtype, Shape shape, Span span) {
    return graph.add(Op::constant, {dtype, std::move(shape)}, {}, Constant{{value}}, span);
}

NodeId constant(Graph& graph, std::vector<double> values, Type type, Span span) {
    return graph.add(Op::constant, std::move(type), {}, Constant{std::move(values)}, span);
}

NodeId scalar_input(Graph& graph, const std::string& name, Dtype dtype, Span span) {
    return graph.add(Op::input, {dtype, {}}, {}, Input{Input::Source::scalar, name, 0, -1}, span);
}

NodeId variable(Graph& graph, const std::string& path, Type type, Span span) {
    return graph.add(Op::variable, std::move(type), {}, VariableName{path}, span);
}

NodeId iota(Graph& graph, Shape shape, int axis, Dtype dtype, Span span) {
    return graph.add(Op::iota, {dtype, std::move(shape)}, {}, Axes{{axis}}, span);
}

NodeId elementwise(Graph& graph, Primitive primitive, std::vector<NodeId> inputs, Span span) {
    check(!inputs.empty(), "graph", "an elementwise op needs an input");
    Shape shape = graph.type(inputs[0]).shape;
    for (NodeId input : inputs) {
        const Shape& other = graph.type(input).shape;
        if (other == shape) continue;
        Shape joined;
        if (!broadcast_shapes(shape, other, joined))
            throw InternalError("graph", "an elementwise op of " + print(shape) + " and " + print(other));
        shape = std::move(joined);
    }
    for (NodeId& input : inputs) input = broadcast_to(graph, input, shape, span);
    Dtype dtype = result_dtype(primitive, graph.type(inputs.back()).dtype);
    return graph.add(Op::elementwise, {dtype, std::move(shape)}, std::move(inputs), Elementwise{primitive}, span);
}

NodeId cast(Graph& graph, NodeId x, Dtype dtype, Span span) {
    const Type& in = graph.type(x);
    if (in.dtype == dtype) return x;
    return graph.add(Op::cast, {dtype, in.shape}, {x}, NoAttributes{}, span);
}

NodeId sum(Graph& graph, NodeId x, std::vector<int> axes, Span span) {
    return reduce(graph, Op::sum, x, std::move(axes), span);
}

NodeId max_of(Graph& graph, NodeId x, std::vector<int> axes, Span span) {
    return reduce(graph, Op::max_of, x, std::move(axes), span);
}

NodeId reshape(Graph& graph, NodeId x, Shape shape, Span span) {
    while (graph[x].op == Op::reshape) x = graph[x].inputs[0];
    const Type& in = graph.type(x);
    if (in.shape == shape) return x;
    return graph.add(Op::reshape, {in.dtype, std::move(shape)}, {x}, NoAttributes{}, span);
}

NodeId permute(Graph& graph, NodeId x, std::vector<int> axes, Span span) {
    if (graph[x].op == Op::permute) {
        const auto& inner = attribute<Axes>(graph[x]).axes;
        check(axes.size() == inner.size(), "graph", "a permutation of another rank");
        for (int& axis : axes) axis = inner.at(size_t(axis));
        x = graph[x].inputs[0];
    }
    if (counts_up(axes)) return x;
    const Type& in = graph.type(x);
    Type type{in.dtype, {}};
    for (int axis : axes) type.shape.push_back(in.shape.at(size_t(axis)));
    return graph.add(Op::permute, std::move(type), {x}, Axes{std::move(axes)}, span);
}

NodeId broadcast(Graph& graph, NodeId x, Shape shape, std::vector<int> axes, Span span) {
    if (!std::is_sorted(axes.begin(), axes.end())) { // the op itself keeps the order of axes
        std::vector<int> order(axes.size());
        std::iota(order.begin(), order.end(), 0);
        std::sort(order.begin(), order.end(), [&](int a, int b) { return axes[size_t(a)] < axes[size_t(b)]; });
        x = permute(graph, x, order, span);
        std::sort(axes.begin(), axes.end());
    }
    const Type& in = graph.type(x);
    if (in.shape == shape) return x;
    return graph.add(Op::broadcast, {in.dtype, std::move(shape)}, {x}, Axes{std::move(axes)}, span);
}

NodeId broadcast_to(Graph& graph, NodeId x, const Shape& shape, Span span) {
    const Type& in = graph.type(x);
    if (in.shape == shape) return x;
    if (in.shape.size() > shape.size())
        throw InternalError("graph", "no broadcast of " + print(in.shape) + " to " + print(shape));
    std::vector<int> axes(in.shape.size());
    std::iota(axes.begin(), axes.end(), int(shape.size() - in.shape.size()));
    return broadcast(graph, x, shape, std::move(axes), span);
}

NodeId sum_to(Graph& graph, NodeId x, const Shape& shape, Span span) {
    const Shape from = graph.type(x).shape;
    if (from == shape) return x;
    if (shape.size() > from.size()) throw InternalError("graph", "no sum of " + print(from) + " to " + print(shape));
    size_t added = from.size() - shape.size();
    std::vector<int> axes;
    for (size_t i = 0; i < from.size(); ++i)
        if (i < added || (shape[i - added] == 1 && from[i] != 1)) axes.push_back(int(i));
    return reshape(graph, sum(graph, x, std::move(axes), span), shape, span);
}

NodeId slice(Graph& graph, NodeId x, std::vector<int64_t> start, std::vector<int64_t> step, Shape shape, Span span) {
    const Type& in = graph.type(x);
    for (size_t i = 0; i < shape.size() && i < step.size(); ++i)
        if (shape[i] == 1) step[i] = 1; // one element has no step
    bool all = in.shape == shape && std::all_of(step.begin(), step.end(), [](auto s) { return s == 1; });
    if (all) return x;
    return graph.add(Op::slice, {in.dtype, std::move(shape)}, {x}, Slice{std::move(start), std::move(step)}, span);
}

NodeId pad(Graph& graph, NodeId x, std::vector<int64_t> before, Shape shape, double value, Span span) {
    const Type& in = graph.type(x);
    if (in.shape == shape) return x;
    return graph.add(Op::pad, {in.dtype, std::move(shape)}, {x}, Pad{std::move(before), value}, span);
}

NodeId window(Graph& graph, NodeId x, Window window, int64_t positions, int64_t taps, Span span) {
    Type type = graph.type(x);
    size_t axis = size_t(window.axis);
    check(axis < type.shape.size(), "graph", "a window over no axis");
    type.shape[axis] = positions;
    type.shape.insert(type.shape.begin() + window.axis + 1, taps);
    return graph.add(Op::window, std::move(type), {x}, window, span);
}

NodeId fold(Graph& graph, NodeId x, Window window, int64_t size, Span span) {
    Type type = graph.type(x);
    size_t axis = size_t(window.axis);
    check(axis + 1 < type.shape.size(), "graph", "a fold of no axes");
    type.shape.erase(type.shape.begin() + window.axis + 1);
    type.shape[axis] = size;
    return graph.add(Op::fold, std::move(type), {x}, window, span);
}

NodeId gather(Graph& graph, NodeId table, NodeId at, Gather gather, Span span) {
    const Type &in = graph.type(table), &where = graph.type(at);
    check(gather.axis >= 0 && gather.axis < in.rank() && gather.batch >= 0 && gather.batch <= where.rank(), "graph",
          "a gather along no axis");
    Type type{in.dtype, {in.shape.begin(), in.shape.begin() + gather.axis}};
    type.shape.insert(type.shape.end(), where.shape.begin() + gather.batch, where.shape.end());
    type.shape.insert(type.shape.end(), in.shape.begin() + gather.axis + 1, in.shape.end());
    return graph.add(Op::gather, std::move(type), {table, at}, gather, span);
}

NodeId scatter(Graph& graph, NodeId values, NodeId at, Gather gather, Shape table, Span span) {
    Type type{graph.type(values).dtype, std::move(table)};
    return graph.add(Op::scatter, std::move(type), {values, at}, gather, span);
}

NodeId contract(Graph& graph, NodeId left, NodeId right, Contract contract, Span span) {
    Type type{graph.type(left).dtype, {}};
    auto size_of = [&](NodeId side, const std::vector<int>& labels, int label) -> int64_t {
        auto at = std::find(labels.begin(), labels.end(), label);
        size_t axis = size_t(at - labels.begin());
        return axis < graph.type(side).shape.size() ? graph.type(side).shape[axis] : 0;
    };
    for (int label : contract.out) {
        int64_t size = size_of(left, contract.left, label);
        type.shape.push_back(size ? size : size_of(right, contract.right, label));
    }
    return graph.add(Op::contract, std::move(type), {left, right}, std::move(contract), span);
}

NodeId concat(Graph& graph, std::vector<NodeId> parts, int axis, Span span) {
    check(!parts.empty(), "graph", "a concat of nothing");
    size_t a = size_t(axis);
    Shape shape = graph.type(parts[0]).shape;
    check(a < shape.size() && shape[a] != rows, "graph", "a concat along no axis");
    shape[a] = 0;
    for (NodeId part : parts) shape[a] += graph.type(part).shape.at(a);
    NodeId result = NodeId::none;
    int64_t offset = 0;
    for (NodeId part : parts) {
        std::vector<int64_t> before(shape.size(), 0);
        before[a] = offset;
        NodeId padded = pad(graph, part, before, shape, 0, span);
        if (result == NodeId::none) result = padded;
        else if (floating(graph.type(part).dtype)) result = elementwise(graph, Primitive::add, {result, padded}, span);
        else {
            NodeId at = iota(graph, shape, axis, Dtype::i32, span);
            NodeId first = constant(graph, double(offset), Dtype::i32, shape, span);
            NodeId earlier = elementwise(graph, Primitive::less, {at, first}, span);
            result = elementwise(graph, Primitive::select, {earlier, result, padded}, span);
        }
        offset += graph.type(part).shape[a];
    }
    return result;
}

NodeId assign(Graph& graph, const std::string& path, NodeId value, Span span) {
    return graph.add(Op::assign, graph.type(value), {value}, Assign{path}, span);
}

} // namespace gradc::build
