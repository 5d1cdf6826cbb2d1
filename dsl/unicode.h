// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decoding of UTF-8, printable forms of characters, and the ASCII forms of look-alikes that are pasted into formulas.
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
/// The first character of a text that is not empty; an invalid byte is a character of length 1.
Character decode_character(std::string_view text);

/// A character in a form that is safe for terminals: itself, or an escape for control characters, line ends and changes
/// of the writing direction: \x1b, \n, \u202e.
std::string printable_character(std::string_view text, const Character& character);
/// The same for a text. Use it for all names, paths and source texts in messages; invalid bytes become \xff.
std::string printable(std::string_view text);

/// `text` cut to about `longest` bytes: its two ends with .. between them; no character is cut.
std::string shortened(std::string_view text, size_t longest);

/// The ASCII form of a look-alike ("-" for U+2212, "<=" for U+2264); empty if none is known.
std::string_view ascii_for(uint32_t code);

} // namespace gradc
