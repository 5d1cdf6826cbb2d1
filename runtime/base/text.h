// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small text formatter, and writing to file descriptors. Text is joined from parts, numbers look the same in every
// locale, and a closed pipe is a return value, not a signal.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace gradc::runtime {

/// 3 -> "3"; plain digits.
std::string integer(int64_t number);
/// 60000 -> "60,000".
std::string grouped(int64_t number);
/// At most `digits` significant digits, in the shortest form: 0.25, 1e-06, 12.5, nan, inf.
std::string general(double number, int digits = 6);
/// The shortest text that reads back as the same double.
std::string exact(double number);
/// `places` digits after the point: 0.9750.
std::string fixed(double number, int places);
/// 1536 -> "1.5 KB"; powers of 1024.
std::string byte_size(double bytes);
/// Three digits and a fitting unit: "134 ns", "2.40 s"; "1:15" from a minute on.
std::string duration(double seconds);
/// 16 lower-case hexadecimal digits.
std::string hexadecimal(uint64_t number);
/// Padded with spaces to `width` columns; each UTF-8 code point is one column.
std::string padded(std::string_view text, int width);
std::string padded_left(std::string_view text, int width);
int columns_of(std::string_view text);

/// The UTF-8 character at `at`, which advances past it; -1 if the bytes are invalid.
int64_t next_character(std::string_view text, size_t& at);
/// Text of unknown origin, safe to print: control characters, invisible and direction marks, and invalid UTF-8 become
/// `\n`, `\x1b`, `\u202e`. `lines` keeps the ends of lines.
std::string visible(std::string_view text, bool lines = false);
/// At most 40 bytes of the text, visible, between backquotes.
std::string quoted(std::string_view text);

/// Every byte as a text of one character.
struct ByteTable {
    char bytes[256];
    constexpr ByteTable() : bytes() {
        for (int i = 0; i < 256; i++) bytes[i] = char(i);
    }
};
inline constexpr ByteTable byte_table;

/// One part of a joined text: characters, or an integer if there are none. It is two words, because much code makes
/// them.
class Piece {
public:
    Piece(std::string_view text) : characters_(text.data() ? text.data() : ""), value_(int64_t(text.size())) {}
    Piece(const std::string& text) : characters_(text.data()), value_(int64_t(text.size())) {}
    Piece(const char* text) : characters_(text), value_(int64_t(__builtin_strlen(text))) {}
    Piece(char byte) : characters_(&byte_table.bytes[static_cast<unsigned char>(byte)]), value_(1) {}
    template <class Number>
        requires(std::is_integral_v<Number> && !std::is_same_v<Number, char>)
    Piece(Number number) : value_(int64_t(number)) {}
    void append_to(std::string& text) const;

private:
    const char* characters_ = nullptr;
    int64_t value_; // length or number
};
std::string join(const Piece* pieces, size_t count);

/// Joins strings, characters and integers. Other numbers are first formatted by general, fixed or exact.
template <class... Parts> std::string text(const Parts&... parts) {
    const Piece pieces[] = {Piece(parts)...};
    return join(pieces, sizeof...(parts));
}

/// Parses the complete text as an integer, or as a number with an optional exponent; no spaces. False if it is neither.
bool parse_number(std::string_view text, double& number);
bool parse_integer(std::string_view text, int64_t& number);

/// Writes all of it; false if the other side is closed or the disk is full (see errno).
bool write_all(int descriptor, std::string_view text);
/// A line to standard error, with a newline.
void complain(std::string_view line);

} // namespace gradc::runtime
