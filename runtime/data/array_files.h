// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays with a binary header: IDX (MNIST's format, also gzipped; big endian) and NPY (numpy's).
// Each file is a run of entries along its first axis; the other axes must be those of one entry of
// the column.
#pragma once
#include "runtime/data/column.h"
#include "runtime/data/data_file.h"

namespace gradc::runtime {

/// A number as the file holds it: kind 'u', 'i', 'f' or 'b' (bool), size in bytes.
struct FileNumber {
    char kind = 'u';
    int size = 1;
    bool big_endian = false;
};
double read_number(const unsigned char* at, FileNumber number);

struct FileArray {
    FileNumber number;
    std::vector<int64_t> shape; // one axis at least, all sizes above 0
    std::string_view payload;   // just its numbers
    int64_t count() const { return int64_t(payload.size()) / number.size; }
};

enum class ArrayFormat : uint8_t { idx, npy };
/// Opens an array whose header is in order and whose numbers are all there. Of a gzip no more is inflated than the
/// header asks for.
bool open_array(ArrayFormat format, const std::string& path, DataFile& file, FileArray& array, Error& error);

bool read_idx(const std::string& path, Column& column, Error& error);
/// `flat`: the axes behind the first need not agree, as long as an entry has as many numbers.
bool read_npy(const std::string& path, Column& column, Error& error, bool flat = false);

/// What stands before the numbers, in C order, of an array of that gradc_element; bf16 is written
/// as f32.
std::string npy_header(int32_t dtype, const std::vector<int64_t>& shape);

} // namespace gradc::runtime
