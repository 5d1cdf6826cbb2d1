// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions, moves, lookups and contractions of the evaluator: plain loops over strides.
#include "compiler/graph/value.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace gradc {

namespace {

/// Strides into the result along the input's axes: 0 along reduced axes.
std::vector<int64_t> reduced_strides(const std::vector<int>& axes, size_t rank, const Value& result) {
    std::vector<int64_t> strides(rank, 0);
    size_t kept = 0;
    for (size_t i = 0; i < rank; ++i)
        if (std::find(axes.begin(), axes.end(), int(i)) == axes.end()) strides[i] = result.strides[kept++];
    return strides;
}

template <class T> T filler(double value) {
    if constexpr (std::is_same_v<T, double>) return value;
    else return integer_number(value);
}

double product(double a, double b) { return a * b; }
int64_t product(int64_t a, int64_t b) { return int64_t(uint64_t(a) * uint64_t(b)); }

void sum_into(double& to, double value) { to += value; }
void sum_into(int64_t& to, int64_t value) { to = int64_t(uint64_t(to) + uint64_t(value)); }

/// Adds each element of `values` to the element of `result` that `strides` and `offset` give for the same index.
void add_into(Value& result, const std::vector<int64_t>& strides, int64_t offset, const Value& values) {
    by_dtype(result.dtype, [&](auto number) {
        using T = decltype(number);
        T* out = result.data<T>() + offset;
        const T* in = values.data<T>();
        walk<2>(values.shape, {&strides, &values.strides})([&](int64_t n, auto at, auto step) {
            for (int64_t i = 0; i < n; ++i) sum_into(out[at[0] + i * step[0]], in[at[1] + i * step[1]]);
        });
        if constexpr (std::is_same_v<T, int64_t>)
            for (T& each : *result.wholes) each = wrapped(result.dtype, each);
    });
}

bool is_nan(double value) { return std::isnan(value); }
bool is_nan(int64_t) { return false; }

void largest(Value& result, const std::vector<int64_t>& strides, const Value& x) {
    by_dtype(result.dtype, [&](auto number) {
        using T = decltype(number);
        T* out = result.data<T>();
        const T* in = x.data<T>();
        T least =
            std::is_same_v<T, double> ? T(-std::numeric_limits<double>::infinity()) : std::numeric_limits<T>::lowest();
        std::fill(out, out + result.size(), least);
        walk<2>(x.shape, {&strides, &x.strides})([&](int64_t n, auto at, auto step) {
            for (int64_t i = 0; i < n; ++i) {
                T& to = out[at[0] + i * step[0]];
                T value = in[at[1] + i * step[1]];
                if (value > to || is_nan(value)) to = value; // no number is larger than a NaN, so it stays
            }
        });
    });
}

/// A view of x with the axis of `a` split into (positions, taps).
Value window_view(const Window& a, const Shape& shape, const Value& x) {
    Value view = x;
    view.shape = shape;
    size_t axis = size_t(a.axis);
    int64_t stride = x.strides[axis];
    view.strides.insert(view.strides.begin() + a.axis + 1, a.dilation * stride);
    view.strides[axis] = a.stride * stride;
    return view;
}

Value compute_pad(const Pad& pad, const Type& type, const Value& x) {
    Value result = make_value(type.dtype, type.shape);
    int64_t offset = 0;
    for (size_t i = 0; i < pad.before.size(); ++i) offset += pad.before[i] * result.strides[i];
    by_dtype(type.dtype, [&](auto number) {
        using T = decltype(number);
        T* out = result.data<T>();
        const T* in = x.data<T>();
        std::fill(out, out + result.size(), filler<T>(pad.value));
        walk<2>(x.shape, {&result.strides, &x.strides})([&](int64_t n, auto at, auto step) {
            for (int64_t i = 0; i < n; ++i) out[offset + at[0] + i * step[0]] = in[at[1] + i * step[1]];
        });
    });
    return result;
}

/// The common loop of gather and scatter, over (batch, before, rest of the index, after):
/// calls f(offset in values, offset in table) for each element.
struct Lookup {
    Walk<3> walk; // values, table without its axis, index
    int64_t axis_stride, axis_size;

    Lookup(const Gather& a, const Value& values, const Value& table, const Value& index) {
        size_t axis = size_t(a.axis), batch = size_t(a.batch), rest = index.shape.size() - batch;
        axis_stride = table.strides[axis];
        axis_size = table.shape[axis];
        size_t v = 0;
        for (size_t i = 0; i < batch; ++i, ++v)
            walk.axis(values.shape[v], {values.strides[v], table.strides[i], index.strides[i]});
        for (size_t i = batch; i < axis; ++i, ++v) walk.axis(values.shape[v], {values.strides[v], table.strides[i], 0});
        for (size_t i = 0; i < rest; ++i, ++v)
            walk.axis(values.shape[v], {values.strides[v], 0, index.strides[batch + i]});
        for (size_t i = axis + 1; i < table.shape.size(); ++i, ++v)
            walk.axis(values.shape[v], {values.strides[v], table.strides[i], 0});
    }

    template <class F> void operator()(const Value& index, F f) const {
        const int64_t* numbers = index.data<int64_t>();
        walk([&](int64_t n, auto at, auto step) {
            for (int64_t i = 0; i < n; ++i) {
                int64_t number = numbers[at[2] + i * step[2]];
                if (number < 0 || number >= axis_size)
                    throw InternalError("evaluate",
                                        "a lookup of " + std::to_string(number) + " in " + std::to_string(axis_size));
                f(at[0] + i * step[0], at[1] + i * step[1] + number * axis_stride);
            }
        });
    }
};

/// The loops of a contraction. The innermost axis is the one with the smallest strides.
Walk<3> contraction_walk(const Contract& a, const Value& left, const Value& right, const Value& out) {
    struct Dimension {
        int64_t size;
        std::array<int64_t, 3> step;
    };
    std::vector<Dimension> dimensions;
    auto at = [](const std::vector<int>& labels, int label) {
        return size_t(std::find(labels.begin(), labels.end(), label) - labels.begin());
    };
    auto step = [&](const Value& value, const std::vector<int>& labels, int label) {
        size_t axis = at(labels, label);
        return axis < labels.size() ? value.strides[axis] : 0;
    };
    std::vector<int> labels = a.left;
    for (int label : a.right)
        if (at(a.left, label) == a.left.size()) labels.push_back(label);
    for (int label : labels) {
        size_t l = at(a.left, label);
        int64_t size = l < a.left.size() ? left.shape[l] : right.shape[at(a.right, label)];
        dimensions.push_back({size, {step(out, a.out, label), step(left, a.left, label), step(right, a.right, label)}});
    }
    std::stable_sort(dimensions.begin(), dimensions.end(), [](const Dimension& x, const Dimension& y) {
        auto reach = [](const Dimension& d) { return std::abs(d.step[0]) + std::abs(d.step[1]) + std::abs(d.step[2]); };
        return reach(x) > reach(y);
    });
    Walk<3> result;
    for (const Dimension& d : dimensions) result.axis(d.size, d.step);
    return result;
}

} // namespace

Value compute_reduce(const Node& node, const Type& type, const Value& x) {
    Value result = make_value(type.dtype, type.shape);
    auto strides = reduced_strides(attribute<Axes>(node).axes, x.shape.size(), result);
    if (node.op == Op::sum) add_into(result, strides, 0, x);
    else largest(result, strides, x);
    return result;
}

Value compute_move(const Node& node, const Type& type, const Value& x) {
    Value view = x;
    view.shape = type.shape;
    switch (node.op) {
    case Op::reshape:
        view = densified(x);
        view.shape = type.shape;
        view.strides = dense_strides(type.shape);
        return view;
    case Op::permute: {
        const auto& axes = attribute<Axes>(node).axes;
        for (size_t i = 0; i < axes.size(); ++i) view.strides[i] = x.strides[size_t(axes[i])];
        return view;
    }
    case Op::broadcast: {
        const auto& axes = attribute<Axes>(node).axes;
        view.strides.assign(type.shape.size(), 0);
        for (size_t i = 0; i < axes.size(); ++i)
            if (x.shape[i] == type.shape[size_t(axes[i])]) view.strides[size_t(axes[i])] = x.strides[i];
        return view;
    }
    case Op::slice: {
        const auto& [start, step] = attribute<Slice>(node);
        for (size_t i = 0; i < start.size(); ++i) {
            view.offset += start[i] * x.strides[i];
            view.strides[i] *= step[i];
        }
        return view;
    }
    case Op::pad: return compute_pad(attribute<Pad>(node), type, x);
    case Op::window: return window_view(attribute<Window>(node), type.shape, x);
    default: { // fold
        Value result = make_value(type.dtype, type.shape);
        Value view = window_view(attribute<Window>(node), x.shape, result);
        add_into(result, view.strides, 0, x);
        return result;
    }
    }
}

Value compute_gather(const Gather& a, const Type& type, const Value& table, const Value& index) {
    Value result = make_value(type.dtype, type.shape);
    by_dtype(type.dtype, [&](auto number) {
        using T = decltype(number);
        T* out = result.data<T>();
        const T* in = table.data<T>();
        Lookup(a, result, table, index)(index, [&](int64_t v, int64_t t) { out[v] = in[t]; });
    });
    return result;
}

Value compute_scatter(const Gather& a, const Type& type, const Value& values, const Value& index) {
    Value result = make_value(type.dtype, type.shape);
    by_dtype(type.dtype, [&](auto number) {
        using T = decltype(number);
        T* out = result.data<T>();
        const T* in = values.data<T>();
        Lookup(a, values, result, index)(index, [&](int64_t v, int64_t t) { sum_into(out[t], in[v]); });
    });
    return result;
}

Value compute_contract(const Contract& a, const Type& type, const Value& left, const Value& right) {
    Value result = make_value(type.dtype, type.shape);
    by_dtype(type.dtype, [&](auto number) {
        using T = decltype(number);
        T* out = result.data<T>();
        const T *l = left.data<T>(), *r = right.data<T>();
        contraction_walk(a, left, right, result)([&](int64_t n, auto at, auto step) {
            if (step[0] == 0) {
                T total = 0;
                for (int64_t i = 0; i < n; ++i)
                    sum_into(total, product(l[at[1] + i * step[1]], r[at[2] + i * step[2]]));
                sum_into(out[at[0]], total);
            } else {
                for (int64_t i = 0; i < n; ++i)
                    sum_into(out[at[0] + i * step[0]], product(l[at[1] + i * step[1]], r[at[2] + i * step[2]]));
            }
        });
    });
    return result;
}

} // namespace gradc
