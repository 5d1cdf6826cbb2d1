// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dtypes (gradc_dtype) of tensors in the arena and in files, and conversions from and to double.
#pragma once
#include "runtime/abi.h"
#include <cstring>
#include <string>

namespace gradc::runtime {

/// The f16 of safetensors files. No tensor of an arena has it, and nothing writes it.
inline constexpr int32_t file_f16 = GRADC_BOOL + 1;

/// Bytes of one element.
int64_t element_size(int32_t dtype);
/// "f32", as in the language.
const char* dtype_name(int32_t dtype);
inline bool is_integer(int32_t dtype) { return dtype >= GRADC_I32 && dtype <= GRADC_BOOL; }
double load_half(const unsigned char* at);
double load_element(const unsigned char* at, int32_t dtype);
/// An integer dtype takes integers in its range only.
void store_element(unsigned char* at, int32_t dtype, double number);
/// Replaces each NaN of an array by the quiet one without sign and payload. Integers stay as they are.
void make_nans_canonical(unsigned char* at, int64_t bytes, int32_t dtype);
/// The smallest and the largest integer of the dtype.
void integer_range(int32_t dtype, double& low, double& high);

/// "[3, 4]", "[N, 64]" with has_rows; a scalar is "[]".
std::string shape_text(const int64_t* shape, int rank, bool has_rows = false);
inline int64_t element_count(const int64_t* shape, int rank) {
    int64_t count = 1;
    for (int axis = 0; axis < rank; axis++) count *= shape[axis];
    return count;
}

} // namespace gradc::runtime
