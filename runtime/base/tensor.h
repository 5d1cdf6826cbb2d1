// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors of the arena, read and written in the model's own shape (C order, no gaps), whatever layout kernels use.
#pragma once
#include "runtime/abi.h"
#include "runtime/base/hash.h"
#include <vector>

namespace gradc::runtime {

/// Bytes of the tensor in the model's own shape; a tensor with rows has `rows` of them.
int64_t tensor_bytes(const gradc_tensor& tensor, int64_t rows = 0);
/// Every NaN is read as the one quiet NaN, since its sign and payload are not the same on every machine.
void read_tensor(const gradc_tensor& tensor, const unsigned char* arena, unsigned char* to, int64_t rows = 0);
void write_tensor(const gradc_tensor& tensor, unsigned char* arena, const unsigned char* from, int64_t rows = 0);
void clear_tensor(const gradc_tensor& tensor, unsigned char* arena);

/// The elements of one row lie in C order without gaps.
bool row_is_contiguous(const gradc_tensor& tensor);
/// Writes one row, given in C order; its first element is at `to`.
void write_row(const gradc_tensor& tensor, unsigned char* to, const unsigned char* from);

/// The tensor of that role, or null. A field is found by its name or by "dataset.name".
const gradc_tensor* find_tensor(const gradc_module& module, int32_t role, std::string_view name);
const gradc_tensor* find_field(const gradc_module& module, const gradc_dataset& dataset, std::string_view name);

/// A variable that outlives the step and is no accumulator: parameter, state, optimizer state, statistic.
inline bool is_variable(const gradc_tensor& tensor) {
    return tensor.role >= GRADC_PARAMETER && tensor.role <= GRADC_STATISTIC;
}
inline const char* file_name_of(const gradc_tensor& tensor) {
    return tensor.saved_as && *tensor.saved_as ? tensor.saved_as : tensor.name;
}
/// Hash of every variable: names, dtypes and numbers in the model's own shape, in the order of the table.
uint64_t weights_hash(const gradc_module& module, const unsigned char* arena);

} // namespace gradc::runtime
