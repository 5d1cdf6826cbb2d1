// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files mapped for reading. Reading a page that the file no longer has raises SIGBUS: the program then names the file
// and ends with exit code 1.
#pragma once
#include "runtime/base/error.h"
#include <string>
#include <string_view>

namespace gradc::runtime {

/// A file mapped for reading; empty files have size 0.
class MappedFile {
public:
    MappedFile() = default;
    MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();
    bool open(const std::string& path, Error& error);
    std::string_view bytes() const;
    /// How another process changed the file since it was opened, as a sentence with its path; "" if it did not.
    std::string change() const;

    struct Mapping;

private:
    Mapping* mapping_ = nullptr; // null before open
};

/// From now on a SIGBUS on a mapped file ends the process with a message.
void watch_mapped_files();

} // namespace gradc::runtime
