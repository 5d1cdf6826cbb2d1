// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whole gzip files into memory.
#pragma once
#include "runtime/base/error.h"
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

inline bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }
/// All members of it, one after another, up to `most` bytes; `cut`, if given, tells whether there are more. What does
/// not fit in memory is a fault before it is inflated.
bool inflate_gzip(std::string_view bytes, const std::string& path, std::vector<unsigned char>& out, Error& error,
                  size_t most = SIZE_MAX, bool* cut = nullptr);

} // namespace gradc::runtime
