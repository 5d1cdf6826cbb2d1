// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a tensor's elements lie, and numbers written to bytes in that order.
#include "compiler/target/layout.h"
#include "compiler/util/check.h"
#include <cstring>

namespace gradc::target {

namespace {

template <class Number> void put(unsigned char* at, double value) {
    Number number = Number(value);
    std::memcpy(at, &number, sizeof number);
}
template <class Number> double take(const unsigned char* at) {
    Number number;
    std::memcpy(&number, at, sizeof number);
    return double(number);
}

uint16_t to_bf16(double value) { // to nearest, ties to even
    float single = float(value);
    uint32_t bits;
    std::memcpy(&bits, &single, 4);
    if (single != single) return uint16_t(bits >> 16 | 0x40);
    return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

double from_bf16(const unsigned char* at) {
    uint16_t half;
    std::memcpy(&half, at, 2);
    uint32_t bits = uint32_t(half) << 16;
    float single;
    std::memcpy(&single, &bits, 4);
    return single;
}

} // namespace

void write_number(unsigned char* at, Dtype dtype, double value) {
    switch (dtype) {
    case Dtype::f32: return put<float>(at, value);
    case Dtype::f64: return put<double>(at, value);
    case Dtype::bf16: {
        uint16_t half = to_bf16(value);
        std::memcpy(at, &half, 2);
        return;
    }
    case Dtype::i32: return put<int32_t>(at, value);
    case Dtype::i64: return put<int64_t>(at, value);
    case Dtype::u8: return put<uint8_t>(at, value);
    case Dtype::boolean: return put<uint8_t>(at, value != 0);
    }
}

double read_number(const unsigned char* at, Dtype dtype) {
    switch (dtype) {
    case Dtype::f32: return take<float>(at);
    case Dtype::f64: return take<double>(at);
    case Dtype::bf16: return from_bf16(at);
    case Dtype::i32: return take<int32_t>(at);
    case Dtype::i64: return double(take<int64_t>(at));
    case Dtype::u8: return take<uint8_t>(at);
    case Dtype::boolean: break;
    }
    return take<uint8_t>(at) != 0;
}

int64_t element_offset(const Layout& layout, const std::vector<int64_t>& index) {
    size_t rank = index.size(), plain = layout.panel ? rank - 2 : rank;
    int64_t offset = 0;
    for (size_t axis = 0; axis < plain; ++axis) offset += index[axis] * layout.strides[axis];
    if (!layout.panel) return offset;
    int64_t depth = layout.shape[rank - 2], column = index[rank - 1];
    int64_t panel = column / layout.panel, lane = column % layout.panel;
    return offset + (panel * depth + index[rank - 2]) * layout.panel + lane;
}

bool next_index(const Shape& shape, std::vector<int64_t>& index) {
    for (size_t axis = shape.size(); axis-- > 0;) {
        if (++index[axis] < shape[axis]) return true;
        index[axis] = 0;
    }
    return false;
}

std::string pack(const Layout& layout, const std::vector<double>& values) {
    int64_t total = count(layout.shape, 1), size = bytes(layout.dtype);
    check(total == int64_t(values.size()), "layout", "values do not fill the shape");
    std::string packed;
    std::vector<int64_t> index(layout.shape.size(), 0);
    for (int64_t i = 0; i < total; ++i, next_index(layout.shape, index)) {
        size_t at = size_t(element_offset(layout, index) * size);
        if (packed.size() < at + size_t(size)) packed.resize(at + size_t(size), '\0');
        write_number(reinterpret_cast<unsigned char*>(packed.data()) + at, layout.dtype, values[size_t(i)]);
    }
    return packed;
}

Layout layout_of(const loop::Buffer& buffer, int64_t row_count) {
    Layout layout{buffer.dtype, buffer.shape, buffer.strides, buffer.panel};
    if (!layout.shape.empty() && layout.shape[0] == rows) layout.shape[0] = row_count;
    return layout;
}

} // namespace gradc::target
