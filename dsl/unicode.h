// Characters beyond ASCII that people type or paste into formulas, and what the language writes
// instead.
#pragma once
#include <cstdint>
#include <string_view>

namespace gradc {

struct Character {
    uint32_t code = 0;   // code point
    uint32_t length = 1; // bytes
    bool valid = false;  // well-formed UTF-8: shortest form, no surrogate, at most U+10FFFF
};
Character decode_character(std::string_view text);

/// The ASCII text meant by a look-alike ("-" for U+2212, "<=" for U+2264), empty if none is known.
std::string_view ascii_for(uint32_t code);

} // namespace gradc
