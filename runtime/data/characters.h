// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The characters of a text file, with their places.
#pragma once
#include "runtime/data/reader.h"

namespace gradc::runtime {

/// A character of a file, with its line and column, both from 1.
struct PlacedCharacter {
    int64_t code;
    std::string_view bytes;
    int64_t line, place;
};
/// Visits all characters of a text until `take` returns false; returns false then, and with an error at invalid UTF-8.
template <class Take>
bool for_each_character(const std::string& path, std::string_view text, Error& error, const Take& take) {
    int64_t line = 1, place = 1;
    for (size_t at = 0; at < text.size(); place++) {
        size_t begin = at;
        int64_t code = next_character(text, at);
        if (code < 0) return error.fail(path, ':', line, ':', place, ": error: ", not_utf8(text, begin));
        if (!take(PlacedCharacter{code, text.substr(begin, at - begin), line, place})) return false;
        if (code == '\n') line++, place = 0;
    }
    return true;
}

} // namespace gradc::runtime
