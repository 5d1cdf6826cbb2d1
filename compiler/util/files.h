// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the compiler adds to runtime/base/files: reasons why an output file cannot be written, parts of paths.
#pragma once
#include <string>

namespace gradc {

/// Replaces `path`, by runtime/base/files. Returns the reason of a failure, or "". `own`: only its owner may read it.
std::string write_file(const std::string& path, const std::string& bytes, bool executable = false, bool own = false);

/// The reason why nothing can be written at `path` ("it is a folder"), or "".
std::string cannot_write(const std::string& path);

/// True if both name the same existing file.
bool same_file(const std::string& a, const std::string& b);

std::string folder_of(const std::string& path);                   // "." if none
std::string stem_of(const std::string& path);                     // "a/digits.grad" -> "digits"
bool make_folders(const std::string& path, unsigned mode = 0777); // mkdir -p; `mode`, less the umask, of new ones

} // namespace gradc
