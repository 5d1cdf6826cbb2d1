// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Characters beyond ASCII that people type or paste into formulas, and what the language writes instead.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace gradc {

struct Character {
    uint32_t code = 0;   // code point
    uint32_t length = 1; // bytes
    bool valid = false;  // well-formed UTF-8: shortest form, no surrogate, at most U+10FFFF
};
Character decode_character(std::string_view text);

/// A character as a terminal may be shown it: itself, or an escape for what would move or recolour the text around it
/// (control characters, line ends, changes of the writing direction): \x1b, \n, \u202e.
std::string printable_character(std::string_view text, const Character& character);
/// Every echo of names, paths and source text goes through this; bytes that are no UTF-8 become \xff.
std::string printable(std::string_view text);

/// `text` cut to about `longest` bytes: its two ends with .. between them, no character cut in two.
std::string shortened(std::string_view text, size_t longest);

/// The ASCII text meant by a look-alike ("-" for U+2212, "<=" for U+2264), empty if none is known.
std::string_view ascii_for(uint32_t code);

} // namespace gradc
