// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gzip files, inflated into memory.
#pragma once
#include "runtime/base/error.h"
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

inline bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }
/// Inflates all members, one after another, up to `most` bytes; sets `cut`, if given, to whether there are more. Data
/// that do not fit in memory are an error before they are inflated.
bool inflate_gzip(std::string_view bytes, const std::string& path, std::vector<unsigned char>& out, Error& error,
                  size_t most = SIZE_MAX, bool* cut = nullptr);

} // namespace gradc::runtime
