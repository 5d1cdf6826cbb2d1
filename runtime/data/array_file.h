// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files that hold one array behind a header, such as IDX and NPY. A reader of such a format defines how the header is
// parsed; sizes are checked and numbers are converted here. The first axis counts entries; the other axes must be those
// of one entry of the column.
#pragma once
#include "runtime/data/reader.h"

namespace gradc::runtime {

/// A number in the file: kind 'u', 'i', 'f' or 'b' (bool), size in bytes.
struct FileNumber {
    char kind = 'u';
    int size = 1;
    bool big_endian = false;
};
double read_number(const unsigned char* at, FileNumber number);

struct FileArray {
    FileNumber number;
    std::vector<int64_t> shape; // one axis at least, all sizes above 0
    std::string_view payload;   // the bytes of its numbers
    int64_t count() const { return int64_t(payload.size()) / number.size; }
};

/// Reads the header of a file's first bytes; the payload is what follows it.
using ParseArray = bool(const std::string& path, std::string_view bytes, FileArray& array, Error& error);

/// Opens an array whose header is valid and whose numbers are all there. Of a gzip no more is inflated than the header
/// asks for.
bool open_array(ParseArray* parse, const std::string& path, DataFile& file, FileArray& array, Error& error);

bool find_array_facts(ParseArray* parse, const std::string& path, DataFile& file, FileFacts& facts, Error& error);
bool read_array_columns(ParseArray* parse, const std::string& path, const std::vector<Column*>& columns, Error& error);

/// Of a FileReader.
template <ParseArray parse>
bool array_facts(const std::string& path, const Selection&, DataFile& file, FileFacts& facts, Error& error) {
    return find_array_facts(parse, path, file, facts, error);
}
template <ParseArray parse>
bool read_array(const std::string& path, const std::vector<Column*>& columns, Error& error) {
    return read_array_columns(parse, path, columns, error);
}

/// The bytes of an NPY file before its numbers, in C order, for an array of that gradc_dtype; bf16 is written as f32.
std::string npy_header(int32_t dtype, const std::vector<int64_t>& shape);

} // namespace gradc::runtime
