// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The bytes of a data file of any format: mapped if it is plain, inflated if it is a gzip. If a file has another format
// than its reader needs, the error names that format.
#pragma once
#include "runtime/base/files.h"
#include <vector>

namespace gradc::runtime {

class DataFile {
public:
    /// Reads at most the first `most` bytes of a gzip; `cut` is true if there are more.
    bool open(const std::string& path, Error& error, size_t most = SIZE_MAX);
    /// Inflates a gzip that was cut again, up to `most` bytes.
    bool inflate(size_t most, Error& error);
    /// The same for text, which must be UTF-8 and not empty.
    bool open_text(const std::string& path, Error& error);
    std::string_view bytes() const {
        if (!packed) return file.bytes();
        return {reinterpret_cast<const char*>(inflated.data()), inflated.size()};
    }

    MappedFile file;
    std::vector<unsigned char> inflated;
    bool packed = false, cut = false;

private:
    std::string path_;
};

/// "; it is a ZIP archive ..", or "" if the bytes begin like no known format.
std::string known_format(std::string_view bytes);
/// The description of the bytes at `at`, which are not UTF-8.
std::string not_utf8(std::string_view bytes, size_t at);

} // namespace gradc::runtime
