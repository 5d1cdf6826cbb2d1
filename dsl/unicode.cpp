// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decoding rejects overlong forms, surrogates and code points above U+10FFFF.
#include "dsl/unicode.h"
#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace gradc {

Character decode_character(std::string_view text) {
    auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80) return {byte(0), 1, true};
    uint32_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
    if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) return {};
    uint32_t code = byte(0) & (0xFFu >> (length + 1));
    for (uint32_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        code = code << 6 | (byte(i) & 0x3F);
    }
    constexpr uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < smallest[length] || surrogate || code > 0x10FFFF) return {};
    return {code, length, true};
}

std::string printable_character(std::string_view text, const Character& character) {
    if (!character.valid) return fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    uint32_t code = character.code;
    if (code == '\n') return "\\n";
    if (code == '\r') return "\\r";
    if (code == '\t') return "\\t";
    if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return fmt::format("\\x{:02x}", code);
    bool turns = code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
                 (code >= 0x2066 && code <= 0x2069);
    if (turns) return fmt::format("\\u{:04x}", code);
    return std::string(text.substr(0, character.length));
}

std::string printable(std::string_view text) {
    std::string result;
    for (size_t i = 0; i < text.size();) {
        Character character = decode_character(text.substr(i));
        result += printable_character(text.substr(i), character);
        i += character.length;
    }
    return result;
}

std::string shortened(std::string_view text, size_t longest) {
    if (text.size() <= longest) return std::string(text);
    auto inside = [&](size_t i) { return i < text.size() && (text[i] & 0xC0) == 0x80; };
    size_t head = longest * 2 / 3, tail = text.size() - longest / 3;
    while (head > 0 && inside(head)) --head;
    while (inside(tail)) ++tail;
    return fmt::format("{}..{}", text.substr(0, head), text.substr(tail));
}

std::string_view ascii_for(uint32_t code) {
    struct Pair {
        uint32_t code;
        std::string_view ascii;
    };
    static constexpr Pair pairs[] = {
        {0x00A0, " "},  {0x00B2, "^2"}, {0x00B3, "^3"}, {0x00B4, "'"}, {0x00B7, "*"},   {0x00D7, "*"},   {0x00F7, "/"},
        {0x03C0, "pi"}, {0x2009, " "},  {0x200B, " "},  {0x2013, "-"}, {0x2014, "-"},   {0x2018, "'"},   {0x2019, "'"},
        {0x201C, "\""}, {0x201D, "\""}, {0x2026, ".."}, {0x202F, " "}, {0x2032, "'"},   {0x2190, "<-"},  {0x2192, "->"},
        {0x2212, "-"},  {0x2215, "/"},  {0x2217, "*"},  {0x2219, "*"}, {0x221E, "inf"}, {0x2227, "and"}, {0x2228, "or"},
        {0x2260, "!="}, {0x2264, "<="}, {0x2265, ">="}, {0x22C5, "*"}, {0x3000, " "},   {0xFEFF, " "}};
    auto found =
        std::find_if(std::begin(pairs), std::end(pairs), [code](const Pair& pair) { return pair.code == code; });
    return found == std::end(pairs) ? std::string_view{} : found->ascii;
}

} // namespace gradc
