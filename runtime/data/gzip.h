// Whole gzip files into memory.
#pragma once
#include "runtime/base/fault.h"
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

inline bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }
/// All members of it, one after another.
bool inflate_gzip(std::string_view bytes, const std::string& path, std::vector<unsigned char>& out, Fault& fault);

} // namespace gradc::runtime
