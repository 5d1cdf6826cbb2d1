// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory of the evaluator's values: new ones, dense copies, conversion from and to tensors.
#include "compiler/graph/value.h"
#include "compiler/util/check.h"
#include <cmath>

namespace gradc {

std::vector<int64_t> dense_strides(const Shape& shape) {
    std::vector<int64_t> strides(shape.size(), 1);
    for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
    return strides;
}

Value make_value(Dtype dtype, Shape shape) {
    int64_t size = count(shape, 1);
    check(size >= 0 && size < int64_t(1) << 40, "evaluate", "a tensor " + print(shape) + " is too large");
    Value value{dtype, {}, dense_strides(shape), 0, {}, {}};
    value.shape = std::move(shape);
    if (floating(dtype)) value.reals = std::make_shared<std::vector<double>>(size_t(size), 0.0);
    else value.wholes = std::make_shared<std::vector<int64_t>>(size_t(size), 0);
    return value;
}

bool dense(const Value& value) {
    int64_t expected = 1;
    for (size_t i = value.shape.size(); i-- > 0;) {
        if (value.shape[i] != 1 && value.strides[i] != expected) return false;
        expected *= value.shape[i];
    }
    return true;
}

Value densified(const Value& value) {
    if (dense(value)) {
        Value same = value;
        same.strides = dense_strides(value.shape);
        return same;
    }
    Value result = make_value(value.dtype, value.shape);
    by_dtype(value.dtype, [&](auto number) {
        using T = decltype(number);
        T* out = result.data<T>();
        const T* in = value.data<T>();
        walk<2>(value.shape, {&result.strides, &value.strides})([&](int64_t n, auto at, auto step) {
            for (int64_t i = 0; i < n; ++i) out[at[0] + i * step[0]] = in[at[1] + i * step[1]];
        });
    });
    return result;
}

int64_t integer_number(double value) { return std::fabs(value) < 0x1p63 ? int64_t(value) : 0; }

int64_t wrapped(Dtype dtype, int64_t value) {
    switch (dtype) {
    case Dtype::i32: return int32_t(value);
    case Dtype::u8: return uint8_t(value);
    case Dtype::boolean: return value != 0;
    default: return value;
    }
}

Value from_tensor(const Tensor& tensor, Dtype dtype) {
    check(int64_t(tensor.values.size()) == count(tensor.shape, 1), "evaluate",
          "a tensor " + print(tensor.shape) + " has " + std::to_string(tensor.values.size()) + " values");
    Value value{dtype, tensor.shape, dense_strides(tensor.shape), 0, {}, {}};
    if (floating(dtype)) {
        value.reals = std::make_shared<std::vector<double>>(tensor.values);
    } else {
        value.wholes = std::make_shared<std::vector<int64_t>>();
        value.wholes->reserve(tensor.values.size());
        for (double number : tensor.values) value.wholes->push_back(integer_number(number));
    }
    return value;
}

Tensor to_tensor(const Value& value) {
    Value plain = densified(value);
    size_t first = size_t(plain.offset), n = size_t(plain.size());
    if (floating(plain.dtype))
        return {plain.shape, {plain.reals->begin() + long(first), plain.reals->begin() + long(first + n)}};
    Tensor tensor{plain.shape, {}};
    for (size_t i = 0; i < n; ++i) tensor.values.push_back(double((*plain.wholes)[first + i]));
    return tensor;
}

} // namespace gradc
