// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A product of several factors is contracted pair by pair, from left to right.
#include "compiler/elaborate/indices/contraction.h"
#include "compiler/elaborate/operators.h"
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace gradc {

namespace {

bool holds(const std::vector<int>& axes, int axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); }

/// Sums over the axes for which `keep` is false.
template <class Keep> NamedAxes summed(Graph& graph, const NamedAxes& x, Keep keep, Span span) {
    std::vector<int> gone;
    NamedAxes result;
    for (size_t i = 0; i < x.axes.size(); ++i) {
        if (keep(x.axes[i])) result.axes.push_back(x.axes[i]);
        else gone.push_back(int(i));
    }
    result.node = build::sum(graph, x.node, gone, span);
    return result;
}

/// The axes in the order of `wanted`, which must hold the same ones.
NodeId ordered(Graph& graph, const NamedAxes& x, const std::vector<int>& wanted, Span span) {
    std::vector<int> axes;
    for (int axis : wanted) axes.push_back(int(std::find(x.axes.begin(), x.axes.end(), axis) - x.axes.begin()));
    return permuted(graph, x.node, axes, span);
}

/// One side of `@`. Its axes are numbered from the right, so that batch axes align.
struct Side {
    NodeTerm value;
    Shape shape; // without labels
    int labels = 0;
    int64_t size(int from_right) const { return shape[shape.size() - size_t(from_right)]; }
    int rank() const { return int(shape.size()); }
};

Side side(Elaborator& elaborator, const NodeTerm& value) {
    const Shape& full = elaborator.graph().type(value.node).shape;
    int labels = int(value.labels.size());
    return {value, {full.begin() + labels, full.end()}, labels};
}

/// Numbers the batch axes of a side. Axes of 1 that meet a longer one are dropped.
NamedAxes batched(Graph& graph, const Side& own, int matrix, const Side& other, int other_matrix, Span span) {
    NamedAxes result{own.value.node, own.value.labels};
    Shape shape = graph.type(own.value.node).shape;
    Shape kept(shape.begin(), shape.begin() + own.labels);
    for (int i = 0; i < own.rank() - matrix; ++i) {
        int place = own.rank() - matrix - i; // from the right of the batch axes, from 1
        bool met = place <= other.rank() - other_matrix;
        int64_t size = own.shape[size_t(i)];
        if (size == 1 && met && other.size(other_matrix + place) != 1) continue;
        result.axes.push_back(plain_axis + 8 + place);
        kept.push_back(size);
    }
    for (int i = own.rank() - matrix; i < own.rank(); ++i) kept.push_back(own.shape[size_t(i)]);
    result.node = reshaped(graph, own.value.node, kept, span);
    return result;
}

void report_product(Elaborator& elaborator, const Operand& left, const Operand& right, const std::string& reason,
                    const std::string& caret, Span span, Span op_span) {
    auto& report = elaborator.error(
        Code::shape_mismatch, span,
        fmt::format("cannot multiply {} by {}: {}", named(elaborator, left), named(elaborator, right), reason), caret);
    if (op_span.known()) report.caret_at = op_span.begin;
}

} // namespace

NodeId contracted(Elaborator& elaborator, NamedAxes left, NamedAxes right, const std::vector<int>& out, Span span) {
    Graph& graph = elaborator.graph();
    left = summed(graph, left, [&](int a) { return holds(out, a) || holds(right.axes, a); }, span);
    right = summed(graph, right, [&](int a) { return holds(out, a) || holds(left.axes, a); }, span);
    // Numbered in order of appearance, so that equal contractions are one node.
    std::map<int, int> numbers;
    auto numbered = [&](const std::vector<int>& axes) {
        std::vector<int> result;
        for (int axis : axes) result.push_back(numbers.emplace(axis, int(numbers.size())).first->second);
        return result;
    };
    Contract labels{numbered(left.axes), numbered(right.axes), {}};
    labels.out = numbered(out);
    Shape shape;
    for (int axis : out) {
        bool on_left = holds(left.axes, axis);
        const NamedAxes& side = on_left ? left : right;
        size_t place = size_t(std::find(side.axes.begin(), side.axes.end(), axis) - side.axes.begin());
        shape.push_back(graph.type(side.node).shape[place]);
    }
    check_size(elaborator, shape, span);
    return build::contract(graph, left.node, right.node, std::move(labels), span);
}

NamedAxes product_sum(Elaborator& elaborator, std::vector<NamedAxes> factors, const std::vector<int>& out, Span span) {
    Graph& graph = elaborator.graph();
    NamedAxes result = factors[0];
    for (size_t i = 1; i < factors.size(); ++i) {
        auto later = [&](int axis) {
            if (holds(out, axis)) return true;
            return std::any_of(factors.begin() + int64_t(i) + 1, factors.end(),
                               [&](const NamedAxes& each) { return holds(each.axes, axis); });
        };
        std::vector<int> next;
        for (const auto* axes : {&result.axes, &factors[i].axes})
            for (int axis : *axes)
                if (later(axis) && !holds(next, axis)) next.push_back(axis);
        std::sort(next.begin(), next.end());
        result = {contracted(elaborator, result, factors[i], next, span), next};
    }
    result = summed(graph, result, [&](int axis) { return holds(out, axis); }, span);
    std::vector<int> wanted = result.axes;
    std::sort(wanted.begin(), wanted.end());
    return {ordered(graph, result, wanted, span), wanted};
}

Term matmul(Elaborator& elaborator, const Operand& left, const Operand& right, Span span, Span op_span) {
    auto met = meet(elaborator, {left, right}, Wanted::number, "multiply", span);
    if (!met) return {};
    Graph& graph = elaborator.graph();
    Side a = side(elaborator, met->operands[0]), b = side(elaborator, met->operands[1]);
    if (!a.rank() || !b.rank()) {
        report_product(elaborator, left, right, "`@` needs axes on both sides", "use `*` for scalars", span, op_span);
        return {};
    }
    int rows_axis = plain_axis, inner = plain_axis + 1, columns = plain_axis + 2;
    int64_t x = a.size(1), y = b.size(b.rank() == 1 ? 1 : 2);
    if (x != y) {
        auto word = [](int64_t size) { return size == rows ? std::string("N") : std::to_string(size); };
        report_product(
            elaborator, left, right, fmt::format("{} is not {}", word(x), word(y)),
            fmt::format("columns of the left side ({}) must be the rows of the right side ({})", word(x), word(y)),
            span, op_span);
        return {};
    }
    int a_matrix = std::min(2, a.rank()), b_matrix = std::min(2, b.rank());
    Shape a_batch(a.shape.begin(), a.shape.end() - a_matrix), b_batch(b.shape.begin(), b.shape.end() - b_matrix), batch;
    if (!broadcast_shapes(a_batch, b_batch, batch)) {
        report_product(elaborator, left, right, "the axes before the last two differ", misfit(a_batch, b_batch), span,
                       op_span);
        return {};
    }
    NamedAxes l = batched(graph, a, a_matrix, b, b_matrix, span), r = batched(graph, b, b_matrix, a, a_matrix, span);
    if (a_matrix == 2) l.axes.push_back(rows_axis);
    l.axes.push_back(inner);
    r.axes.push_back(inner);
    if (b_matrix == 2) r.axes.push_back(columns);
    std::vector<int> labels, out;
    std::set_union(a.value.labels.begin(), a.value.labels.end(), b.value.labels.begin(), b.value.labels.end(),
                   std::back_inserter(labels));
    out = labels;
    for (int place = int(batch.size()); place >= 1; --place) out.push_back(plain_axis + 8 + place);
    if (a_matrix == 2) out.push_back(rows_axis);
    if (b_matrix == 2) out.push_back(columns);
    return elaborator.term(contracted(elaborator, l, r, out, span), labels, met->weak);
}

} // namespace gradc
