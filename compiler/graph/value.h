// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of the evaluator. A value is a view of shared numbers, so that permute, broadcast, slice and window copy
// nothing. Floating numbers are held as double, integers as int64. `walk` visits the elements of several views of one
// shape and joins adjacent axes where all strides allow it.
#pragma once
#include "compiler/graph/evaluate.h"
#include <array>
#include <type_traits>

namespace gradc {

/// A view: element (i, j, ..) is number offset + i*strides[0] + j*strides[1] + .. of the shared numbers. Copies share
/// them.
struct Value {
    Dtype dtype = Dtype::f64;
    Shape shape;                                  // with a number in place of N
    std::vector<int64_t> strides;                 // in elements; 0: the axis is broadcast
    int64_t offset = 0;                           // in elements
    std::shared_ptr<std::vector<double>> reals;   // if floating(dtype)
    std::shared_ptr<std::vector<int64_t>> wholes; // else

    /// The first element; T is double or int64_t, as by_dtype gives it.
    template <class T> const T* data() const {
        if constexpr (std::is_same_v<T, double>) return reals->data() + offset;
        else return wholes->data() + offset;
    }
    /// The same for writing; only for values of make_value, which share their numbers with no other.
    template <class T> T* data() { return const_cast<T*>(static_cast<const Value*>(this)->template data<T>()); }
    /// Number of elements of the view.
    int64_t size() const { return count(shape, 1); }
};

/// Strides of C order.
std::vector<int64_t> dense_strides(const Shape& shape);
/// New zeros in C order; throws InternalError above 2^40 elements.
Value make_value(Dtype dtype, Shape shape);
/// True if the elements lie in C order without gaps.
bool dense(const Value& value);
/// The same elements in C order; shares the numbers if they already are.
Value densified(const Value& value);
/// Copies; numbers that are no integers are cut for an integer dtype.
Value from_tensor(const Tensor& tensor, Dtype dtype);
/// Copies.
Tensor to_tensor(const Value& value);

/// Calls f with double() for a floating dtype, with int64_t() for an integer one.
template <class F> void by_dtype(Dtype dtype, F f) {
    if (floating(dtype)) f(double());
    else f(int64_t());
}

/// Loops over the elements of K operands at once.
template <size_t K> struct Walk {
    Shape sizes;                               // of the joined axes
    std::vector<std::array<int64_t, K>> steps; // strides of each operand along each axis

    /// Adds an axis inside of the others, joined with the last one where all strides allow it.

    void axis(int64_t size, std::array<int64_t, K> step) {
        if (size == 1) return;
        if (!sizes.empty()) {
            bool joined = true;
            for (size_t k = 0; k < K; ++k) joined = joined && steps.back()[k] == step[k] * size;
            if (joined) {
                sizes.back() *= size;
                steps.back() = step;
                return;
            }
        }
        sizes.push_back(size);
        steps.push_back(step);
    }

    /// Calls run(n, offsets, steps) for each run along the last axis: element i of operand k is number
    /// offsets[k] + i * steps[k], counted from the operand's first.
    template <class Run> void operator()(Run run) const {
        std::array<int64_t, K> at{};
        if (sizes.empty()) return run(int64_t(1), at, at);
        size_t outer = sizes.size() - 1;
        std::vector<int64_t> counters(outer, 0);
        for (;;) {
            run(sizes[outer], at, steps[outer]);
            size_t axis = outer;
            for (;;) {
                if (axis == 0) return;
                --axis;
                for (size_t k = 0; k < K; ++k) at[k] += steps[axis][k];
                if (++counters[axis] < sizes[axis]) break;
                for (size_t k = 0; k < K; ++k) at[k] -= steps[axis][k] * sizes[axis];
                counters[axis] = 0;
            }
        }
    }
};

/// A walk over `shape` where operand k moves by strides[k].
template <size_t K> Walk<K> walk(const Shape& shape, const std::array<const std::vector<int64_t>*, K>& strides) {
    Walk<K> result;
    for (size_t i = 0; i < shape.size(); ++i) {
        std::array<int64_t, K> step;
        for (size_t k = 0; k < K; ++k) step[k] = (*strides[k])[i];
        result.axis(shape[i], step);
    }
    return result;
}

// ---- the ops, on values; `type` is that of the result, with a number in place of N --------------------------------
/// Results are new values in C order, except for views: most moves, and casts between floating dtypes.
Value compute_elementwise(const PrimitiveTable&, const Node&, const Type& type, const std::vector<Value>&);
/// Whether the evaluator can compute a declared primitive: the C library has a function of its name.
bool has_meaning(std::string_view name, int arity);
Value compute_cast(const Type& type, const Value&);
Value compute_reduce(const Node&, const Type& type, const Value&);
Value compute_move(const Node&, const Type& type, const Value&);
Value compute_gather(const Gather&, const Type& type, const Value& table, const Value& index);
Value compute_scatter(const Gather&, const Type& type, const Value& values, const Value& index);
Value compute_contract(const Contract&, const Type& type, const Value& left, const Value& right);

/// A number cut toward zero; 0 if it is NaN or beyond 64 bits.
int64_t integer_number(double value);
/// Wraps an integer to the width of `dtype`, as machines do.
int64_t wrapped(Dtype dtype, int64_t value);

} // namespace gradc
