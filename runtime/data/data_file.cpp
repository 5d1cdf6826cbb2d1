// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recognizes gzip by its magic number, and other formats for error messages.
#include "runtime/data/data_file.h"
#include "runtime/base/text.h"
#include "runtime/data/gzip.h"
#include <algorithm>

namespace gradc::runtime {

bool DataFile::open(const std::string& path, Error& error, size_t most) {
    path_ = path;
    if (!file.open(path, error)) return false;
    packed = is_gzip(file.bytes());
    return !packed || inflate(most, error);
}

bool DataFile::inflate(size_t most, Error& error) {
    inflated.clear();
    return inflate_gzip(file.bytes(), path_, inflated, error, most, &cut);
}

std::string known_format(std::string_view bytes) {
    static constexpr std::string_view formats[][2] = {
        {"PK\3\4", "a ZIP archive (.xlsx, .npz): extract the table or array"},
        {"\x93NUMPY", "an NPY array: `npy` reads it, and `predict` if its name ends in .npy"},
        {"\x1f\x8b", "a gzip in a gzip: unpack it once"},
        {"BZh", "a bzip2 file: unpack it"},
        {"\xFD"
         "7zXZ",
         "an xz file: unpack it"},
        {"\x28\xB5\x2F\xFD", "a zstd file: unpack it"},
        {"\x89HDF", "an HDF5 file: export its array as NPY"},
        {"PAR1", "a Parquet file: export it as CSV or NPY"},
        {"version https://git-lfs", "a pointer of Git LFS: `git lfs pull` fetches the file"},
        {"<!DOCTYPE", "a web page, such as a server's error"},
        {"\x89PNG", "a PNG picture"},
        {"\xFF\xD8\xFF", "a JPEG picture"}};
    for (const auto& [magic, name] : formats) {
        if (bytes.starts_with(magic)) return text("; it is ", name);
    }
    return "";
}

/// The name for iconv, by a byte order mark or by every other byte being zero; "" for other encodings.
static std::string_view wide_encoding(std::string_view bytes) {
    using namespace std::literals;
    if (bytes.starts_with("\xFF\xFE\0\0"sv) || bytes.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
    if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) return "UTF-16";
    size_t pairs = std::min<size_t>(bytes.size() / 2, 32), zeros[2] = {0, 0};
    for (size_t i = 0; i < 2 * pairs; i++) zeros[i % 2] += bytes[i] == 0;
    if (pairs < 2 || zeros[0] + zeros[1] != pairs) return "";
    return zeros[1] == pairs ? "UTF-16LE" : zeros[0] == pairs ? "UTF-16BE" : "";
}

bool DataFile::open_text(const std::string& path, Error& error) {
    if (!open(path, error)) return false;
    if (bytes().empty()) return error.fail(path, ":1:1: error: the file is empty");
    std::string known = known_format(bytes());
    if (!known.empty()) return error.fail(path, ": error: this holds no rows", known);
    std::string_view encoding = wide_encoding(bytes());
    return encoding.empty() || error.fail(path, ": error: the text is in ", encoding, "; write it in UTF-8: iconv -f ",
                                          encoding, " -t UTF-8 ", visible(path), " > utf8.txt");
}

std::string not_utf8(std::string_view bytes, size_t at) {
    return text(quoted(bytes.substr(at, 1)), " is not UTF-8; `iconv -f LATIN1 -t UTF-8` converts Latin-1");
}

} // namespace gradc::runtime
