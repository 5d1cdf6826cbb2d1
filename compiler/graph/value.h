// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of the evaluator: a tensor is a view (offset and strides in elements) of shared numbers,
// so that permute, broadcast, slice and window copy nothing. Floating numbers are held as double,
// whole ones as int64. `walk` runs over the elements of several views of one shape, with adjacent
// axes joined where all strides allow it.
#pragma once
#include "compiler/graph/evaluate.h"
#include <array>
#include <type_traits>

namespace gradc {

struct Value {
    Dtype dtype = Dtype::f64;
    Shape shape; // numbers only
    std::vector<int64_t> strides;
    int64_t offset = 0;
    std::shared_ptr<std::vector<double>> reals;   // if floating(element)
    std::shared_ptr<std::vector<int64_t>> wholes; // else

    template <class T> const T* data() const {
        if constexpr (std::is_same_v<T, double>) return reals->data() + offset;
        else return wholes->data() + offset;
    }
    template <class T> T* data() { return const_cast<T*>(static_cast<const Value*>(this)->template data<T>()); }
    int64_t size() const { return count(shape, 1); }
};

std::vector<int64_t> dense_strides(const Shape& shape);
/// Fresh zeros in C order.
Value make_value(Dtype dtype, Shape shape);
bool dense(const Value& value);
Value densified(const Value& value);
Value from_tensor(const Tensor& tensor, Dtype dtype);
Tensor to_tensor(const Value& value);

/// Calls f with double() or int64_t() as the value's numbers are floating or whole.
template <class F> void by_dtype(Dtype dtype, F f) {
    if (floating(dtype)) f(double());
    else f(int64_t());
}

template <size_t K> struct Walk {
    Shape sizes;
    std::vector<std::array<int64_t, K>> steps; // per axis, of each operand

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

    /// run(n, offsets, steps) for each run along the last axis: element i of operand k is
    /// offsets[k] + i * steps[k].
    template <class Run> void operator()(Run run) const {
        std::array<int64_t, K> at{};
        if (sizes.empty()) return run(int64_t(1), at, at);
        size_t outer = sizes.size() - 1;
        std::vector<int64_t> iteration(outer, 0);
        for (;;) {
            run(sizes[outer], at, steps[outer]);
            size_t axis = outer;
            for (;;) {
                if (axis == 0) return;
                --axis;
                for (size_t k = 0; k < K; ++k) at[k] += steps[axis][k];
                if (++iteration[axis] < sizes[axis]) break;
                for (size_t k = 0; k < K; ++k) at[k] -= steps[axis][k] * sizes[axis];
                iteration[axis] = 0;
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

// ---- the ops, on values; `type` is the result's with N a number
// --------------------------------------------
Value compute_elementwise(const PrimitiveTable&, const Node&, const Type& type, const std::vector<Value>&);
/// Whether the evaluator can compute a declared primitive: the C library has a function of its name.
bool has_meaning(std::string_view name, int arity);
Value compute_cast(const Type& type, const Value&);
Value compute_reduce(const Node&, const Type& type, const Value&);
Value compute_move(const Node&, const Type& type, const Value&);
Value compute_gather(const Gather&, const Type& type, const Value& table, const Value& index);
Value compute_scatter(const Gather&, const Type& type, const Value& values, const Value& index);
Value compute_contract(const Contract&, const Type& type, const Value& left, const Value& right);

/// A floating number as a whole one: toward zero, 0 where it is NaN or too large.
int64_t integer_number(double value);
/// Wraps a whole number to the element's width, as machines do.
int64_t wrapped(Dtype dtype, int64_t value);

} // namespace gradc
