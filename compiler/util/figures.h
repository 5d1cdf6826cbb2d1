// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The width of a text in a terminal, and large numbers in groups of three digits.
#pragma once
#include <cstdint>
#include <string>

namespace gradc {

/// Characters of a UTF-8 text; wide characters do not occur.
inline size_t columns(const std::string& text) {
    size_t result = 0;
    for (unsigned char byte : text) result += (byte & 0xC0) != 0x80;
    return result;
}

/// "12,345"
inline std::string grouped(int64_t number) {
    std::string digits = std::to_string(number);
    size_t first = digits[0] == '-' ? 1 : 0;
    for (size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
    return digits;
}

} // namespace gradc
