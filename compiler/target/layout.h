// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The place of a tensor's elements in its buffer, and conversion of numbers to bytes in that order. The constants in a
// module's table and tensors that are read and written by name use the same rule.
#pragma once
#include "compiler/program/program.h"
#include <string>

namespace gradc::target {

/// As in loop::Buffer and gradc_tensor, with N replaced by a number of rows.
struct Layout {
    Dtype dtype = Dtype::f32;
    Shape shape;
    std::vector<int64_t> strides; // elements
    int64_t panel = 0;
};
Layout layout_of(const loop::Buffer& buffer, int64_t row_count);

/// Elements between the start of the buffer and the element with this index.
int64_t element_offset(const Layout& layout, const std::vector<int64_t>& index);
/// Advances to the next index in C order. After the last one it becomes all zeros, and the result is false.
bool next_index(const Shape& shape, std::vector<int64_t>& index);

void write_number(unsigned char* at, Dtype dtype, double value); // rounds to the element type
double read_number(const unsigned char* at, Dtype dtype);

/// Bytes of a tensor from its values in C order; gaps are zeros.
std::string pack(const Layout& layout, const std::vector<double>& values);

} // namespace gradc::target
