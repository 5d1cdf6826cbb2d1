// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recursive to a bounded depth. Deeper nodes and other ops have the range that IntegerRanges gives.
#include "compiler/graph/row_ranges.h"
#include <algorithm>

namespace gradc {

namespace {

constexpr int deepest = 100;
constexpr double most = 1e9; // N is far below 2^31; larger numbers added to it might wrap

/// N >= 1, so x >= N + l gives x >= 1 + l, and x <= h gives x <= N + h - 1.
RowRange settled(RowRange a) {
    a.low = std::max(a.low, a.low_rows + 1);
    a.high_rows = std::min(a.high_rows, a.high - 1);
    return a;
}

bool may_wrap(const RowRange& a) {
    auto large = [](double end) { return std::isfinite(end) && std::fabs(end) > most; };
    return large(a.low) || large(a.high) || large(a.low_rows) || large(a.high_rows);
}

RowRange sum(const RowRange& a, const RowRange& b) {
    return {a.low + b.low, a.high + b.high, std::max(a.low_rows + b.low, a.low + b.low_rows),
            std::min(a.high_rows + b.high, a.high + b.high_rows)};
}

/// If both are relative to N, the difference is not.
RowRange difference(const RowRange& a, const RowRange& b) {
    return {std::max(a.low - b.high, a.low_rows - b.high_rows), std::min(a.high - b.low, a.high_rows - b.low_rows),
            a.low_rows - b.high, a.high_rows - b.low};
}

RowRange smaller(const RowRange& a, const RowRange& b) {
    return {std::min(a.low, b.low), std::min(a.high, b.high), std::min(a.low_rows, b.low_rows),
            std::min(a.high_rows, b.high_rows)};
}

RowRange larger(const RowRange& a, const RowRange& b) {
    return {std::max(a.low, b.low), std::max(a.high, b.high), std::max(a.low_rows, b.low_rows),
            std::max(a.high_rows, b.high_rows)};
}

RowRange either(const RowRange& a, const RowRange& b) {
    return {std::min(a.low, b.low), std::max(a.high, b.high), std::min(a.low_rows, b.low_rows),
            std::max(a.high_rows, b.high_rows)};
}

} // namespace

RowRange RowRanges::plain(NodeId id) {
    RowRange result;
    Dtype dtype = graph_.type(id).dtype;
    if (!integer(dtype)) return result;
    Range range = plain_(id);
    if (double(range.low) >= -most) result.low = double(range.low);
    if (double(range.high) <= most) result.high = double(range.high);
    return result;
}

RowRange RowRanges::of_elementwise(NodeId id, int depth) {
    const Node& node = graph_[id];
    auto in = [&](size_t i) { return of(node.inputs[i], depth + 1); };
    switch (attribute<Elementwise>(node).primitive) {
    case Primitive::add: return sum(in(0), in(1));
    case Primitive::subtract: return difference(in(0), in(1));
    case Primitive::minimum: return smaller(in(0), in(1));
    case Primitive::maximum: return larger(in(0), in(1));
    case Primitive::select: return either(in(1), in(2));
    case Primitive::remainder: {
        RowRange of = in(0), by = in(1);
        if (by.low < 1) return {};
        RowRange below{0, by.high - 1, -HUGE_VAL, by.high_rows - 1};
        return of.low < 0
                   ? below
                   : RowRange{0, std::min(below.high, of.high), -HUGE_VAL, std::min(below.high_rows, of.high_rows)};
    }
    case Primitive::quotient: {
        RowRange of = in(0);
        if (in(1).low < 1 || of.low < 0) return {};
        return {0, of.high, -HUGE_VAL, of.high_rows};
    }
    default: return {};
    }
}

RowRange RowRanges::compute(NodeId id, int depth) {
    const Node& node = graph_[id];
    switch (node.op) {
    case Op::input:
        if (attribute<Input>(node).source == Input::Source::scalar && attribute<Input>(node).name == "rows")
            return {1, HUGE_VAL, 0, 0};
        return {};
    case Op::iota:
        if (node.type.shape[size_t(attribute<Axes>(node).axes[0])] == rows) return {0, HUGE_VAL, -HUGE_VAL, -1};
        return {};
    case Op::elementwise: return of_elementwise(id, depth);
    case Op::cast: return integer(graph_.type(node.inputs[0]).dtype) ? of(node.inputs[0], depth + 1) : RowRange{};
    case Op::max_of:
    case Op::reshape:
    case Op::permute:
    case Op::broadcast:
    case Op::slice:
    case Op::window:
    case Op::gather: return of(node.inputs[0], depth + 1);
    default: return {};
    }
}

RowRange RowRanges::of(NodeId id, int depth) {
    if (auto found = known_.find(id); found != known_.end()) return found->second;
    RowRange result = settled(plain(id));
    if (depth < deepest && integer(graph_.type(id).dtype)) {
        RowRange followed = compute(id, depth);
        if (may_wrap(followed)) followed = {};
        result =
            settled({std::max(result.low, followed.low), std::min(result.high, followed.high),
                     std::max(result.low_rows, followed.low_rows), std::min(result.high_rows, followed.high_rows)});
    }
    return known_[id] = result;
}

} // namespace gradc
