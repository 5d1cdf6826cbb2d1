// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a tensor's elements lie in its buffer, and numbers written to bytes in that order: one rule
// for the constants in a module's table and for tensors that are read and written by name.
#pragma once
#include "compiler/program/program.h"
#include <string>

namespace gradc::target {

/// As in loop::Buffer and gradc_tensor; sizes are numbers (N is the rows at hand).
struct Layout {
    Dtype dtype = Dtype::f32;
    Shape shape;
    std::vector<int64_t> strides; // elements
    int64_t panel = 0;
};
Layout layout_of(const loop::Buffer& buffer, int64_t row_count);

/// Elements from the buffer's begin to the one with this index.
int64_t element_offset(const Layout& layout, const std::vector<int64_t>& index);
/// The next index in C order; false after the last, which makes it all zeros.
bool next_index(const Shape& shape, std::vector<int64_t>& index);

void write_number(unsigned char* at, Dtype dtype, double value); // rounds to the element type
double read_number(const unsigned char* at, Dtype dtype);

/// Bytes of a tensor from its values in C order; gaps are zeros.
std::string pack(const Layout& layout, const std::vector<double>& values);

} // namespace gradc::target
