// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// IDX, the format of MNIST: 0 0 dtype rank, sizes as 32-bit numbers, numbers; all big endian.
#include "runtime/data/array_file.h"

namespace gradc::runtime {

namespace {

bool parse_idx(const std::string& path, std::string_view bytes, FileArray& array, Error& error) {
    auto byte = [&](size_t at) { return static_cast<unsigned char>(bytes[at]); };
    if (bytes.size() < 4 || byte(0) != 0 || byte(1) != 0) {
        return error.fail(path, ": error: wrong magic: an IDX file begins with two zero bytes", known_format(bytes));
    }
    switch (byte(2)) {
    case 0x08: array.number = {'u', 1, true}; break;
    case 0x09: array.number = {'i', 1, true}; break;
    case 0x0B: array.number = {'i', 2, true}; break;
    case 0x0C: array.number = {'i', 4, true}; break;
    case 0x0D: array.number = {'f', 4, true}; break;
    case 0x0E: array.number = {'f', 8, true}; break;
    default: return error.fail(path, ": error: wrong magic: IDX has no dtype ", int(byte(2)));
    }
    size_t rank = byte(3);
    if (bytes.size() < 4 + 4 * rank) return error.fail(path, ": error: truncated in its header");
    for (size_t axis = 0; axis < rank; axis++) {
        size_t at = 4 + 4 * axis;
        array.shape.push_back(int64_t(byte(at)) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3));
    }
    array.payload = bytes.substr(4 + 4 * rank);
    return true;
}

} // namespace

constinit const FileReader idx_reader{
    .name = "idx",
    .suffix = "",
    .stored = GRADC_U8,
    .facts = array_facts<parse_idx>,
    .read = read_array<parse_idx>,
};

} // namespace gradc::runtime
