// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Interval arithmetic on doubles. Ends are exact up to 2^53; if a result might wrap, round beyond its end or be NaN,
// its interval is unknown. Depth-first with an explicit stack, so that long chains of nodes do not overflow the call
// stack.
#include "compiler/graph/ranges.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <cmath>

namespace gradc {

Range range_of(Dtype dtype) {
    switch (dtype) {
    case Dtype::i32: return {INT32_MIN, INT32_MAX};
    case Dtype::u8: return {0, UINT8_MAX};
    case Dtype::boolean: return {0, 1};
    default: return {INT64_MIN, INT64_MAX};
    }
}

/// The interval of each op's result, from those of its inputs.
struct RangeRules {
    using Interval = IntegerRanges::Interval;
    static constexpr double infinite = HUGE_VAL;

    static Interval unknown(Dtype dtype) {
        if (floating(dtype)) return {-infinite, infinite, true};
        Range all = range_of(dtype);
        return {double(all.low), double(all.high), true};
    }
    static bool finite(const Interval& a) { return std::isfinite(a.low) && std::isfinite(a.high); }

    /// The interval of a result of this dtype: integers that do not fit may wrap, floats are rounded outwards.
    static Interval fitted(Interval a, Dtype dtype) {
        Interval all = unknown(dtype);
        if (!(finite(a) && a.low <= a.high) || dtype == Dtype::bf16) return all;
        if (dtype == Dtype::f32)
            return {std::min(a.low, double(float(a.low))), std::max(a.high, double(float(a.high))), true};
        if (integer(dtype) && (a.low < all.low || a.high > all.high)) return all;
        if (std::fabs(a.low) > 0x1p53 || std::fabs(a.high) > 0x1p53) return all;
        return {a.low, a.high, true};
    }

    static Interval hull(const Interval& a, const Interval& b) {
        return {std::min(a.low, b.low), std::max(a.high, b.high), true};
    }
    static Interval add(const Interval& a, const Interval& b) { return {a.low + b.low, a.high + b.high, true}; }
    template <class F> static Interval corners(const Interval& a, const Interval& b, F f) {
        double v[] = {f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)};
        return {*std::min_element(v, v + 4), *std::max_element(v, v + 4), true};
    }
    static Interval product(const Interval& a, const Interval& b) {
        return corners(a, b, [](double x, double y) { return x * y; });
    }
    /// The sum of `most` numbers of interval a, or of 0 to `most` of them if `fewer`.
    static Interval repeated(const Interval& a, double most, bool fewer) {
        Interval all{a.low * most, a.high * most, true};
        return fewer ? hull(all, {0, 0, true}) : all;
    }

    static Interval remainder(const Interval& a, const Interval& b, bool is_integer) {
        double inner = is_integer ? 1 : 0;
        if (b.low > 0 && a.low >= 0 && a.high <= b.low - inner) return a;
        if (b.low > 0) return {0, b.high - inner, true};
        if (b.high < 0) return {b.low + inner, 0, true};
        return {-infinite, infinite, true};
    }
    static Interval quotient(const Interval& a, const Interval& b, bool is_integer) {
        if (b.low <= 0 && b.high >= 0) return {-infinite, infinite, true};
        return corners(a, b, [=](double x, double y) { return is_integer ? std::floor(x / y) : x / y; });
    }
    static Interval absolute(const Interval& a) {
        double most = std::max(std::fabs(a.low), std::fabs(a.high));
        bool through_zero = a.low <= 0 && a.high >= 0;
        return {through_zero ? 0 : std::min(std::fabs(a.low), std::fabs(a.high)), most, true};
    }

    static Interval elementwise(Primitive primitive, Dtype dtype, const std::vector<Interval>& x) {
        const Interval all{-infinite, infinite, true};
        bool is_integer = integer(dtype);
        for (const Interval& each : x)
            if (!finite(each)) return all; // may be NaN
        switch (primitive) {
        case Primitive::add: return add(x[0], x[1]);
        case Primitive::subtract: return add(x[0], {-x[1].high, -x[1].low, true});
        case Primitive::multiply: return product(x[0], x[1]);
        case Primitive::divide: return quotient(x[0], x[1], false);
        case Primitive::quotient: return quotient(x[0], x[1], true);
        case Primitive::remainder: return remainder(x[0], x[1], is_integer);
        case Primitive::negate: return {-x[0].high, -x[0].low, true};
        case Primitive::maximum: return {std::max(x[0].low, x[1].low), std::max(x[0].high, x[1].high), true};
        case Primitive::minimum: return {std::min(x[0].low, x[1].low), std::min(x[0].high, x[1].high), true};
        case Primitive::abs: return absolute(x[0]);
        case Primitive::sqrt: return x[0].low < 0 ? all : Interval{std::sqrt(x[0].low), std::sqrt(x[0].high), true};
        case Primitive::floor: return {std::floor(x[0].low), std::floor(x[0].high), true};
        case Primitive::select: return hull(x[1], x[2]);
        case Primitive::fused_multiply_add: return add(product(x[0], x[1]), x[2]);
        case Primitive::bit_and:
            if (x[0].low < 0 || x[1].low < 0) return all;
            return {0, std::min(x[0].high, x[1].high), true};
        default: return all;
        }
    }

    static Interval cast(const Interval& a, Dtype from, Dtype to) {
        if (to == Dtype::boolean) return unknown(to);
        if (floating(from) && integer(to)) return {std::trunc(a.low), std::trunc(a.high), true};
        return a;
    }

    static Interval constant(const Constant& a) {
        Interval result{a.values[0], a.values[0], true};
        for (double value : a.values) {
            if (std::isnan(value)) return {-infinite, infinite, true};
            result = hull(result, {value, value, true});
        }
        return result;
    }
};

namespace {

/// Elements of `from` for each element of `to`; negative if it depends on an unknown N.
double ratio(const Shape& from, const Shape& to, int64_t batch) {
    auto rows_in = [](const Shape& shape) { return std::count(shape.begin(), shape.end(), rows); };
    if (batch == 0 && rows_in(from) != rows_in(to)) return -1;
    int64_t n = batch ? batch : 1;
    return double(count(from, n)) / double(count(to, n));
}

} // namespace

IntegerRanges::Interval IntegerRanges::compute(NodeId id) {
    using Rules = RangeRules;
    const Node& node = graph_[id];
    auto in = [&](size_t i) -> const Interval& { return intervals_[index(node.inputs[i])]; };
    auto type = [&](size_t i) -> const Type& { return graph_.type(node.inputs[i]); };
    const Interval all = Rules::unknown(node.type.dtype);
    switch (node.op) {
    case Op::constant: return Rules::constant(attribute<Constant>(node));
    case Op::input: {
        const Input& input = attribute<Input>(node);
        if (input.low <= input.high) return {double(input.low), double(input.high), true};
        if (input.source == Input::Source::scalar && input.name == "rows") // at least one
            return {1, batch_ ? double(batch_) : all.high, true};
        size_t number = input.source == Input::Source::capture ? std::stoul(input.name) : SIZE_MAX;
        return number < captures_.size() ? captures_[number] : all;
    }
    case Op::iota: {
        int64_t size = node.type.shape[size_t(attribute<Axes>(node).axes[0])];
        if (size == rows) size = batch_;
        return size ? Interval{0, double(size - 1), true} : Interval{0, all.high, true};
    }
    case Op::random: return {0, 1, true};
    case Op::elementwise: {
        std::vector<Interval> inputs;
        for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(in(i));
        return Rules::elementwise(attribute<Elementwise>(node).primitive, node.type.dtype, inputs);
    }
    case Op::cast: return Rules::cast(in(0), type(0).dtype, node.type.dtype);
    case Op::sum: {
        double n = ratio(type(0).shape, node.type.shape, batch_);
        if (n < 0) return in(0).low >= 0 && integer(node.type.dtype) ? Interval{0, all.high, true} : all;
        // there may be fewer rows than the largest batch
        return Rules::repeated(in(0), n, type(0).has_rows() != node.type.has_rows());
    }
    case Op::pad: return Rules::hull(in(0), {attribute<Pad>(node).value, attribute<Pad>(node).value, true});
    case Op::fold: {
        size_t taps = size_t(attribute<Window>(node).axis) + 1;
        return Rules::repeated(in(0), double(type(0).shape[taps]), true);
    }
    case Op::contract: {
        Interval one = Rules::product(in(0), in(1));
        double n = 1;
        const auto& [left, right, out] = attribute<Contract>(node);
        for (size_t i = 0; i < left.size(); ++i)
            if (std::find(out.begin(), out.end(), left[i]) == out.end())
                n *= type(0).shape[i] == rows ? (batch_ ? double(batch_) : HUGE_VAL) : double(type(0).shape[i]);
        return Rules::repeated(one, n, true);
    }
    case Op::part: {
        const Node& loop = graph_[node.inputs[0]];
        const Scan& scan = attribute<Scan>(loop);
        size_t number = size_t(attribute<Part>(node).number), carries = size_t(scan.carries);
        const Graph& body = graph_.body(scan.body);
        IntegerRanges inside(body, batch_);
        for (size_t i = carries; i < loop.inputs.size(); ++i)
            inside.captures_.push_back(intervals_[index(loop.inputs[i])]);
        return inside.interval(body.outputs[number].node);
    }
    case Op::variable:
    case Op::scatter:
    case Op::scan: return all;
    default: return in(0); // custom_gradient, assign, max_of, gather and moves copy elements of input 0
    }
}

const IntegerRanges::Interval& IntegerRanges::interval(NodeId id) {
    if (intervals_.size() < graph_.size()) intervals_.resize(graph_.size(), {0, 0, false});
    std::vector<NodeId> waiting{id};
    while (!waiting.empty()) {
        NodeId next = waiting.back();
        if (intervals_[index(next)].known) {
            waiting.pop_back();
            continue;
        }
        size_t before = waiting.size();
        for (NodeId input : graph_[next].inputs)
            if (!intervals_[index(input)].known) waiting.push_back(input);
        if (waiting.size() != before) continue;
        intervals_[index(next)] = RangeRules::fitted(compute(next), graph_.type(next).dtype);
        waiting.pop_back();
    }
    return intervals_[index(id)];
}

Range IntegerRanges::operator()(NodeId id) {
    Dtype dtype = graph_.type(id).dtype;
    check(integer(dtype), "ranges", "only whole numbers have a range");
    const Interval& found = interval(id);
    Range all = range_of(dtype), result = all;
    if (found.low > double(all.low)) result.low = int64_t(found.low);
    if (found.high < double(all.high)) result.high = int64_t(found.high);
    return result;
}

} // namespace gradc
