// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files of the compiler: whole or not at all. Nothing half-written is ever left under the wanted name.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace gradc {

/// Writes to a temporary file beside `path`, syncs it, renames. Returns why it failed, or "". `own`: for its owner
/// alone, whatever the umask.
std::string write_file(const std::string& path, const std::string& bytes, bool executable = false, bool own = false);

/// All bytes of a file, if it can be read to its end.
std::optional<std::string> read_file(const std::string& path);
std::optional<std::string> read_open_file(int descriptor);

/// Why nothing can be written at `path` ("is a folder"), or "" if it seems possible.
std::string cannot_write(const std::string& path);

/// Why `path` is not read where only what lies below `folders` may be, links followed; or "". It need not exist.
std::string outside(const std::string& path, const std::vector<std::string>& folders);

/// True if both name the same existing file.
bool same_file(const std::string& a, const std::string& b);

std::string folder_of(const std::string& path);                   // "." if none
std::string stem_of(const std::string& path);                     // "a/digits.grad" -> "digits"
bool make_folders(const std::string& path, unsigned mode = 0777); // mkdir -p; `mode`, less the umask, of new ones

/// 64-bit FNV-1a of the bytes, 16 hex digits. Names content; no defence against an adversary.
std::string hash_text(const std::string& bytes);

/// The running program's own file, links resolved.
std::string own_path();

} // namespace gradc
