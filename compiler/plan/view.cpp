// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The view of each op, as a function of the position.
#include "compiler/plan/view.h"
#include "compiler/plan/flat.h"
#include "compiler/util/check.h"
#include <algorithm>

namespace gradc {

namespace {

/// N keeps its own index. The other axes are combined to a linear index and split again.
Position reshaped(const Shape& from, const Shape& to, const Position& at, Indices& indices) {
    Position result(from.size());
    size_t t = 0, f = 0;
    while (f < from.size() || t < to.size()) {
        Index linear;
        for (; t < to.size() && to[t] != rows; ++t) linear = indices.sum(indices.scaled(linear, to[t]), at[t]);
        size_t end = f;
        while (end < from.size() && from[end] != rows) ++end;
        for (size_t i = end; i-- > f;) {
            result[i] = from[i] == 1 ? Index{} : i == f ? linear : indices.remainder(linear, from[i]);
            linear = indices.quotient(linear, from[i]);
        }
        f = end;
        if (f < from.size()) result[f++] = at.at(t++);
    }
    return result;
}

View view_of_gather(const Graph& graph, const Node& node, const Position& at, Indices& indices) {
    const Gather& a = attribute<Gather>(node);
    const Shape& table = graph.type(node.inputs[0]).shape;
    size_t axis = size_t(a.axis), batch = size_t(a.batch);
    size_t looked = graph.type(node.inputs[1]).shape.size() - batch; // axes of the result that come from the lookup
    Position index_at(at.begin(), at.begin() + long(batch));
    index_at.insert(index_at.end(), at.begin() + long(axis), at.begin() + long(axis + looked));
    View result{node.inputs[0], Position(at.begin(), at.begin() + long(axis))};
    result.at.push_back(index_of(graph, node.inputs[1], index_at, table[axis], indices));
    result.at.insert(result.at.end(), at.begin() + long(axis + looked), at.end());
    return result;
}

View view_of_pad(const Graph& graph, const Node& node, const Position& at, Indices& indices) {
    const Pad& pad = attribute<Pad>(node);
    const Shape& from = graph.type(node.inputs[0]).shape;
    View result{node.inputs[0], at, {}, pad.value};
    for (size_t i = 0; i < at.size(); ++i) {
        result.at[i] = indices.shifted(at[i], -pad.before[i]);
        if (from[i] != rows && !indices.lies_within(result.at[i], from[i]))
            result.guards.push_back({result.at[i], from[i]});
        if (from[i] == 1) result.at[i] = {};
    }
    return result;
}

View fold_factor(const Node& node, const Position& at, const Index& tap, int64_t positions, Indices& indices) {
    const Window& w = attribute<Window>(node);
    size_t axis = size_t(w.axis);
    Index start = indices.sum(at[axis], indices.scaled(tap, -w.dilation));
    View result{node.inputs[0], at};
    int64_t reach = w.stride * (positions - 1) + 1;
    if (!indices.lies_within(start, reach)) result.guards.push_back({start, reach});
    Index rest = indices.remainder(start, w.stride);
    if (!indices.lies_within(rest, 1)) result.guards.push_back({rest, 1});
    result.at[axis] = positions == 1 ? Index{} : indices.quotient(start, w.stride);
    result.at.insert(result.at.begin() + long(axis) + 1, tap);
    return result;
}

View scatter_factor(const Graph& graph, const Node& node, const Position& at, const Position& reduced,
                    Indices& indices) {
    const Gather& a = attribute<Gather>(node);
    size_t axis = size_t(a.axis), batch = size_t(a.batch);
    Position index_at(at.begin(), at.begin() + long(batch));
    index_at.insert(index_at.end(), reduced.begin(), reduced.end());
    int64_t size = node.type.shape[axis];
    Index hit = index_of(graph, node.inputs[1], index_at, size, indices);
    Index difference = indices.sum(hit, indices.scaled(at[axis], -1));
    View result{node.inputs[0], Position(at.begin(), at.begin() + long(axis))};
    result.at.insert(result.at.end(), reduced.begin(), reduced.end());
    result.at.insert(result.at.end(), at.begin() + long(axis) + 1, at.end());
    if (!indices.lies_within(difference, 1)) result.guards.push_back({difference, 1});
    return result;
}

} // namespace

bool is_view(const Graph& graph, NodeId id) {
    Op op = graph[id].op;
    return (kind(op) == Kind::move && op != Op::fold) || op == Op::gather;
}

View view(const Graph& graph, NodeId id, const Position& at, Indices& indices) {
    const Node& node = graph[id];
    const Shape& from = graph.type(node.inputs[0]).shape;
    View result{node.inputs[0], Position(from.size())};
    switch (node.op) {
    case Op::reshape: result.at = reshaped(from, node.type.shape, at, indices); break;
    case Op::permute: {
        const auto& axes = attribute<Axes>(node).axes;
        for (size_t i = 0; i < at.size(); ++i) result.at[size_t(axes[i])] = at[i];
        break;
    }
    case Op::broadcast: {
        const auto& axes = attribute<Axes>(node).axes;
        for (size_t i = 0; i < from.size(); ++i)
            if (from[i] != 1) result.at[i] = at[size_t(axes[i])];
        break;
    }
    case Op::slice: {
        const auto& [start, step] = attribute<Slice>(node);
        for (size_t i = 0; i < from.size(); ++i)
            result.at[i] = indices.shifted(indices.scaled(at[i], step[i]), start[i]);
        break;
    }
    case Op::pad: return view_of_pad(graph, node, at, indices);
    case Op::window: {
        const Window& w = attribute<Window>(node);
        size_t axis = size_t(w.axis);
        result.at = at;
        result.at.erase(result.at.begin() + long(axis) + 1);
        result.at[axis] = indices.sum(indices.scaled(at[axis], w.stride), indices.scaled(at[axis + 1], w.dilation));
        break;
    }
    case Op::gather: return view_of_gather(graph, node, at, indices);
    default: throw InternalError("plan", "no view");
    }
    return result;
}

bool is_sparse_sum(const Graph& graph, NodeId id) {
    const Node& node = graph[id];
    if (node.op != Op::scatter) return false;
    const Shape sizes = reduced_sizes(graph, id);
    return std::find(sizes.begin(), sizes.end(), rows) == sizes.end() && count(sizes, 1) <= 4;
}

bool is_reduction(const Graph& graph, NodeId id) {
    switch (graph[id].op) {
    case Op::sum:
    case Op::max_of:
    case Op::contract:
    case Op::fold: return true;
    case Op::scatter: return is_sparse_sum(graph, id);
    default: return false;
    }
}

Shape reduced_sizes(const Graph& graph, NodeId id) {
    const Node& node = graph[id];
    const Shape& in = graph.type(node.inputs[0]).shape;
    Shape sizes;
    switch (node.op) {
    case Op::sum:
    case Op::max_of:
        for (int axis : attribute<Axes>(node).axes) sizes.push_back(in[size_t(axis)]);
        break;
    case Op::fold: sizes = {in[size_t(attribute<Window>(node).axis) + 1]}; break;
    case Op::scatter: {
        const Shape& at = graph.type(node.inputs[1]).shape;
        sizes.assign(at.begin() + attribute<Gather>(node).batch, at.end());
        break;
    }
    case Op::contract: {
        const Contract& a = attribute<Contract>(node);
        for (size_t i = 0; i < a.left.size(); ++i)
            if (std::find(a.out.begin(), a.out.end(), a.left[i]) == a.out.end()) sizes.push_back(in[i]);
        break;
    }
    default: throw InternalError("plan", "no reduction");
    }
    return sizes;
}

Reduction reduction(const Graph& graph, NodeId id, const Position& at, const Position& reduced, Indices& indices) {
    const Node& node = graph[id];
    Reduction result{node.op == Op::max_of, reduced_sizes(graph, id), {}};
    if (node.op == Op::contract) {
        const Contract& a = attribute<Contract>(node);
        std::map<int, Index> of_label;
        for (size_t i = 0; i < a.out.size(); ++i) of_label[a.out[i]] = at[i];
        size_t next = 0;
        for (int label : a.left)
            if (!of_label.count(label)) of_label[label] = reduced[next++];
        for (int side = 0; side < 2; ++side) {
            View factor{node.inputs[size_t(side)], {}};
            for (int label : side ? a.right : a.left) factor.at.push_back(of_label.at(label));
            result.factors.push_back(std::move(factor));
        }
    } else if (node.op == Op::fold) {
        int64_t positions = graph.type(node.inputs[0]).shape[size_t(attribute<Window>(node).axis)];
        result.factors.push_back(fold_factor(node, at, reduced[0], positions, indices));
    } else if (node.op == Op::scatter) {
        result.factors.push_back(scatter_factor(graph, node, at, reduced, indices));
    } else {
        View factor{node.inputs[0], {}};
        const auto& axes = attribute<Axes>(node).axes;
        size_t kept = 0, gone = 0;
        for (size_t i = 0; i < graph.type(node.inputs[0]).shape.size(); ++i)
            if (gone < axes.size() && axes[gone] == int(i)) factor.at.push_back(reduced[gone++]);
            else factor.at.push_back(at[kept++]);
        result.factors.push_back(std::move(factor));
    }
    return result;
}

namespace {

constexpr int longest_affine = 64; // nodes of an affine formula; a longer one is looked up

/// Sums, differences and multiples of counters; nullopt for anything else, or for more than `left` nodes.
std::optional<Index> affine(const Graph& graph, NodeId id, const Position& at, Indices& indices, int& left) {
    const Node& node = graph[id];
    if (left-- == 0) return std::nullopt;
    if (node.type.dtype != Dtype::i32 && node.type.dtype != Dtype::i64) return std::nullopt;
    switch (node.op) {
    case Op::input: {
        const Input& input = attribute<Input>(node);
        if (input.source != Input::Source::iteration) return std::nullopt;
        return indices.iteration(iteration_depth(input), input.high + 1);
    }
    case Op::constant:
        if (attribute<Constant>(node).values.size() == 1)
            return Index{int64_t(attribute<Constant>(node).values[0]), {}};
        return std::nullopt;
    case Op::iota: return at[size_t(attribute<Axes>(node).axes[0])];
    case Op::cast: return affine(graph, node.inputs[0], at, indices, left);
    case Op::elementwise: break;
    default:
        if (!is_view(graph, id) || node.op == Op::gather || node.op == Op::pad) return std::nullopt;
        View inner = view(graph, id, at, indices);
        return affine(graph, inner.node, inner.at, indices, left);
    }
    Primitive primitive = attribute<Elementwise>(node).primitive;
    if (primitive != Primitive::add && primitive != Primitive::subtract && primitive != Primitive::multiply)
        return std::nullopt;
    auto a = affine(graph, node.inputs[0], at, indices, left);
    auto b = a ? affine(graph, node.inputs[1], at, indices, left) : std::nullopt;
    if (!b) return std::nullopt;
    if (primitive == Primitive::add) return indices.sum(*a, *b);
    if (primitive == Primitive::subtract) return indices.sum(*a, indices.scaled(*b, -1));
    if (a->is_constant()) return indices.scaled(*b, a->constant);
    if (b->is_constant()) return indices.scaled(*a, b->constant);
    return std::nullopt;
}

} // namespace

Index index_of(const Graph& graph, NodeId id, const Position& at, int64_t size, Indices& indices) {
    int left = longest_affine;
    if (auto known = affine(graph, id, at, indices, left); known && indices.lies_within(*known, size)) return *known;
    return indices.looked_up(id, at, size);
}

std::vector<int64_t> dense_strides(const Shape& shape, int64_t batch) {
    std::vector<int64_t> strides(shape.size(), 1);
    for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * (shape[i] == rows ? batch : shape[i]);
    return strides;
}

Position fresh_axes(const Shape& shape, Indices& indices) {
    Position result;
    for (int64_t size : shape) result.push_back(indices.axis(size));
    return result;
}

} // namespace gradc
