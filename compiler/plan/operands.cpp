// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The copy pays if several rows of the result read each of its elements.
#include "compiler/plan/operands.h"
#include <algorithm>

namespace gradc {

std::optional<int64_t> stride_along(const Graph& graph, NodeId node, int axis, int64_t batch,
                                    const std::vector<bool>* members) {
    Indices indices(batch);
    Position at = fresh_axes(graph.type(node).shape, indices);
    if (at[size_t(axis)].terms.empty()) return 0;
    SymbolId symbol = at[size_t(axis)].terms[0].first;
    while (is_view(graph, node) && !(members && (*members)[index(node)])) {
        View inner = view(graph, node, at, indices);
        node = inner.node;
        at = std::move(inner.at);
    }
    Index linear;
    auto strides = dense_strides(graph.type(node).shape, batch);
    for (size_t i = 0; i < at.size(); ++i) linear = indices.sum(linear, indices.scaled(at[i], strides[i]));
    int64_t stride = 0;
    for (auto [term, coefficient] : linear.terms) {
        if (term == symbol) stride = coefficient;
        else if (indices[term].kind != Symbol::Kind::axis && indices[term].kind != Symbol::Kind::iteration)
            return std::nullopt;
    }
    return stride;
}

namespace {

long place_of(const std::vector<int>& labels, int label) {
    auto found = std::find(labels.begin(), labels.end(), label);
    return found == labels.end() ? -1 : found - labels.begin();
}

} // namespace

NodeId arrange_operands(Graph& graph, std::vector<NodeId>& inputs, Contract& labels, const Type& result,
                        int64_t batch) {
    if (labels.out.empty() || !floating(result.dtype)) return NodeId::none;
    int vector = labels.out.back();
    int64_t size = result.shape.back() == rows ? batch : result.shape.back();
    for (size_t side = 0; side < 2; ++side) {
        std::vector<int>& own = side ? labels.right : labels.left;
        const std::vector<int>& other = side ? labels.left : labels.right;
        long place = place_of(own, vector);
        if (place < 0 || place_of(other, vector) >= 0 || size < 8) continue;
        auto stride = stride_along(graph, inputs[side], int(place), batch);
        if (stride && (*stride == 1 || *stride == 0)) return NodeId::none;
        int64_t reused = 1; // rows of the result that read each element
        for (size_t i = 0; i < labels.out.size(); ++i)
            if (place_of(own, labels.out[i]) < 0) reused *= result.shape[i] == rows ? batch : result.shape[i];
        int64_t elements = count(graph.type(inputs[side]).shape, batch);
        if (reused < 8 || double(reused) * double(elements) < smallest_product) return NodeId::none;
        std::vector<int> order;
        for (int i = 0; i < int(own.size()); ++i)
            if (i != place) order.push_back(i);
        order.push_back(int(place));
        Type type{graph.type(inputs[side]).dtype, {}};
        std::vector<int> renamed;
        for (int axis : order) {
            type.shape.push_back(graph.type(inputs[side]).shape[size_t(axis)]);
            renamed.push_back(own[size_t(axis)]);
        }
        NodeId copy = graph.add(Op::permute, type, {inputs[side]}, Axes{order});
        if (!graph[inputs[side]].name.empty()) graph.name_node(copy, graph[inputs[side]].name + "_transposed");
        inputs[side] = copy;
        own = renamed;
        return copy;
    }
    return NodeId::none;
}

} // namespace gradc
