// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A data file's bytes, whatever its format: mapped where they are plain, inflated where they are a gzip. A file that is
// of another kind than its reader wants is named as what it is.
#pragma once
#include "runtime/base/files.h"
#include <vector>

namespace gradc::runtime {

class DataFile {
public:
    /// Of a gzip at most the first `most` bytes; `cut` tells whether there are more.
    bool open(const std::string& path, Error& error, size_t most = SIZE_MAX);
    /// A gzip that was cut, once more, up to `most` bytes.
    bool inflate(size_t most, Error& error);
    /// The same for text, which is UTF-8 and not empty.
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

/// "; it is a ZIP archive ..", or "" for bytes that begin as no known format does.
std::string known_format(std::string_view bytes);
/// What to say of the bytes at `at` that are no UTF-8.
std::string not_utf8(std::string_view bytes, size_t at);

} // namespace gradc::runtime
