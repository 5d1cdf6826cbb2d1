// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The trainer's small formatter and its only way to write to a file descriptor: text is joined from
// parts, numbers look alike in every locale, and a closed pipe is a value that callers see, never a
// signal.
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
/// `digits` significant ones at most, shortest form: 0.25, 1e-06, 12.5, nan, inf.
std::string general(double number, int digits = 6);
/// Shortest text that reads back as the same double.
std::string exact(double number);
/// `places` after the point: 0.9750.
std::string fixed(double number, int places);
/// 1536 -> "1.5 KB"; powers of 1024.
std::string byte_size(double bytes);
/// Three digits and the unit that fits: "134 ns", "2.40 s"; from a minute on "1:15".
std::string duration(double seconds);
/// 16 lower-case hexadecimal digits.
std::string hexadecimal(uint64_t number);
/// Padded with spaces to `width` columns; a number of UTF-8 code points is its width.
std::string padded(std::string_view text, int width);
std::string padded_left(std::string_view text, int width);
int columns_of(std::string_view text);

/// The character of UTF-8 at `at`, which moves behind it; -1 where the bytes are none.
int64_t next_character(std::string_view text, size_t& at);
/// Text of unknown origin, safe to print: control characters, marks that hide or turn text, and bytes that are no UTF-8
/// as `\n`, `\x1b`, `\u202e`. Ends of lines stay as they are where `lines` says so.
std::string visible(std::string_view text, bool lines = false);
/// At most 40 bytes of it, visible, between backquotes.
std::string quoted(std::string_view text);

/// Every byte as a text of one character.
struct ByteTable {
    char bytes[256];
    constexpr ByteTable() : bytes() {
        for (int i = 0; i < 256; i++) bytes[i] = char(i);
    }
};
inline constexpr ByteTable byte_table;

/// One part of a joined text: characters, or a whole number where there are none. Two words, since
/// much code makes them.
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

/// Joins strings, characters and whole numbers; other numbers say their form: general, fixed,
/// exact.
template <class... Parts> std::string text(const Parts&... parts) {
    const Piece pieces[] = {Piece(parts)...};
    return join(pieces, sizeof...(parts));
}

/// An integer or a number with exponent, whole string, no spaces; false if it is none.
bool parse_number(std::string_view text, double& number);
bool parse_integer(std::string_view text, int64_t& number);

/// Writes all of it; false when the other side is gone or the disk is full (errno tells).
bool write_all(int descriptor, std::string_view text);
/// A line to standard error, with a newline.
void complain(std::string_view line);

} // namespace gradc::runtime
