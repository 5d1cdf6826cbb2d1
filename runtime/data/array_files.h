// Arrays with a binary header: IDX (MNIST's format, also gzipped; big endian) and NPY (numpy's).
// Each file is a run of entries along its first axis; the other axes must be those of one entry of
// the column.
#pragma once
#include "runtime/data/column.h"

namespace gradc::runtime {

bool read_idx(const std::string& path, Column& column, Fault& fault);
/// `flat`: the axes behind the first need not agree, as long as an entry has as many numbers.
bool read_npy(const std::string& path, Column& column, Fault& fault, bool flat = false);

/// What stands before the numbers, in C order, of an array of that gradc_element; bf16 is written
/// as f32.
std::string npy_header(int32_t element, const std::vector<int64_t>& shape);

} // namespace gradc::runtime
