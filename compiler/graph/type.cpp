// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Overflow of sizes is checked here, and numpy's broadcasting rule treats N as a size that equals no number.
#include "compiler/graph/type.h"
#include <algorithm>

namespace gradc {

int64_t bytes(Dtype dtype) {
    switch (dtype) {
    case Dtype::f64:
    case Dtype::i64: return 8;
    case Dtype::f32:
    case Dtype::i32: return 4;
    case Dtype::bf16: return 2;
    case Dtype::u8:
    case Dtype::boolean: return 1;
    }
    return 0;
}

std::string name(Dtype dtype) {
    static const char* const names[] = {"f32", "f64", "bf16", "i32", "i64", "u8", "bool"};
    return names[size_t(dtype)];
}

bool Type::has_rows() const { return std::find(shape.begin(), shape.end(), rows) != shape.end(); }

int64_t count(const Shape& shape, int64_t batch) {
    bool overflow = false;
    int64_t result = 1;
    for (int64_t size : shape) {
        if (size == rows) size = batch;
        if (size == 0) return 0;
        overflow = __builtin_mul_overflow(result, size, &result) || overflow;
    }
    return overflow ? -1 : result;
}

std::string print(const Shape& shape) {
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); ++i) {
        if (i) text += ", ";
        text += shape[i] == rows ? "N" : std::to_string(shape[i]);
    }
    return text + "]";
}

std::string print(const Type& type) {
    return type.shape.empty() ? name(type.dtype) : name(type.dtype) + print(type.shape);
}

bool broadcast_shapes(const Shape& a, const Shape& b, Shape& result) {
    const Shape& longer = a.size() >= b.size() ? a : b;
    const Shape& shorter = a.size() >= b.size() ? b : a;
    result = longer;
    size_t shift = longer.size() - shorter.size();
    for (size_t i = 0; i < shorter.size(); ++i) {
        int64_t& size = result[i + shift];
        int64_t other = shorter[i];
        if (size == other) continue;
        if (size == rows || other == rows) return false;
        if (size == 1) size = other;
        else if (other != 1) return false;
    }
    return true;
}

} // namespace gradc
