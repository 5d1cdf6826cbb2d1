// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// printf is used in the C locale only: nothing here calls setlocale.
#include "runtime/base/error.h"
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <unistd.h>

namespace gradc::runtime {

std::string integer(int64_t number) {
    char digits[24];
    int length = 0;
    uint64_t rest = number < 0 ? 0 - uint64_t(number) : uint64_t(number);
    do {
        digits[length++] = char('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) digits[length++] = '-';
    return std::string(std::reverse_iterator(digits + length), std::reverse_iterator(digits));
}

std::string grouped(int64_t number) {
    std::string plain = integer(number);
    int first = plain[0] == '-' ? 1 : 0;
    for (int at = int(plain.size()) - 3; at > first; at -= 3) plain.insert(size_t(at), 1, ',');
    return plain;
}

void Piece::append_to(std::string& text) const {
    if (characters_) {
        text.append(characters_, size_t(value_));
    } else {
        text += integer(value_);
    }
}

std::string join(const Piece* pieces, size_t count) {
    std::string joined;
    for (size_t i = 0; i < count; i++) pieces[i].append_to(joined);
    return joined;
}

bool Error::set(std::string_view what, ExitCode how) {
    if (code == done) message = visible(what, true), code = how;
    return false;
}
bool Error::set(ExitCode how, const Piece* pieces, size_t count) {
    // The first part may be a file name; it must not add a line.
    return set(count == 0 ? "" : visible(join(pieces, 1)) + join(pieces + 1, count - 1), how);
}

static std::string print(const char* form, int digits, double number) {
    if (std::isnan(number)) return "nan";
    char buffer[400];
    int length = snprintf(buffer, sizeof buffer, form, digits, number);
    return std::string(buffer, size_t(length < 0 ? 0 : length));
}

std::string general(double number, int digits) { return print("%.*g", digits, number); }

static bool reads_as(std::string_view text, double number) {
    double read;
    return parse_number(text, read) && read == number;
}

std::string exact(double number) {
    std::string shortest;
    for (int digits = 6; digits <= 17; digits++) {
        shortest = general(number, digits);
        if (!std::isfinite(number) || reads_as(shortest, number)) break;
    }
    return shortest;
}

std::string fixed(double number, int places) { return print("%.*f", places, number); }

std::string byte_size(double bytes) {
    if (bytes < 1024) return text(int64_t(bytes), " bytes");
    const char* units[] = {"KB", "MB", "GB", "TB"};
    int unit = 0;
    bytes /= 1024;
    while (bytes >= 1024 && unit < 3) bytes /= 1024, unit++;
    return text(bytes < 100 ? fixed(bytes, 1) : fixed(bytes, 0), ' ', units[unit]);
}

static std::string two_digits(int64_t number) { return number < 10 ? text('0', number) : integer(number); }

/// 2.40, 13.4, 134; a value that rounds to 1000 of a unit becomes 1.00 of the next.
static std::string three_digits(double number) { return fixed(number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0); }

std::string duration(double seconds) {
    if (seconds < 999.5e-9) return text(three_digits(seconds * 1e9), " ns");
    if (seconds < 999.5e-6) return text(three_digits(seconds * 1e6), " us");
    if (seconds < 0.9995) return text(three_digits(seconds * 1e3), " ms");
    if (seconds < 59.95) return text(three_digits(seconds), " s");
    int64_t total = int64_t(std::min(seconds, 1e15) + 0.5);
    if (total < 3600) return text(total / 60, ':', two_digits(total % 60));
    return text(total / 3600, ':', two_digits(total / 60 % 60), ':', two_digits(total % 60));
}

std::string hexadecimal(uint64_t number) {
    std::string digits(16, '0');
    for (int at = 15; at >= 0; at--, number >>= 4) digits[size_t(at)] = "0123456789abcdef"[number & 15];
    return digits;
}

int columns_of(std::string_view text) {
    int columns = 0;
    for (char byte : text) columns += (byte & 0xC0) != 0x80;
    return columns;
}

std::string padded(std::string_view text, int width) {
    std::string result(text);
    int missing = width - columns_of(text);
    if (missing > 0) result.append(size_t(missing), ' ');
    return result;
}

std::string padded_left(std::string_view text, int width) {
    int missing = width - columns_of(text);
    return std::string(missing > 0 ? size_t(missing) : 0, ' ').append(text);
}

// ---- characters --------------------------------------------------------------------------------

int64_t next_character(std::string_view text, size_t& at) {
    unsigned char first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return at++, first;
    int extra = first >= 0xF8 ? 0 : first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
    if (extra == 0 || at + size_t(extra) >= text.size()) return -1;
    static constexpr int64_t smallest[] = {0, 0x80, 0x800, 0x10000};
    int64_t character = first & (0x3F >> extra);
    for (int i = 1; i <= extra; i++) {
        unsigned char next = static_cast<unsigned char>(text[at + size_t(i)]);
        if ((next & 0xC0) != 0x80) return -1;
        character = character << 6 | (next & 0x3F);
    }
    bool half_of_pair = character >> 11 == 0xD800 >> 11;
    if (character < smallest[extra] || character > 0x10FFFF || half_of_pair) return -1;
    at += size_t(extra) + 1;
    return character;
}

/// Control characters, zero-width and direction marks, Unicode line ends, and invalid characters.
static bool is_hidden(int64_t character) {
    static constexpr int32_t ranges[][2] = {{0, 0x1F},        {0x7F, 0x9F},      {0x61C, 0x61C},   {0x200B, 0x200F},
                                            {0x2028, 0x202E}, {0x2060, 0x206F},  {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB},
                                            {0xFFFE, 0xFFFF}, {0xE0000, 0xE0FFF}};
    for (const auto& range : ranges) {
        if (character >= range[0] && character <= range[1]) return true;
    }
    return false;
}

std::string visible(std::string_view text, bool lines) {
    std::string result;
    for (size_t at = 0; at < text.size();) {
        size_t begin = at;
        int64_t character = next_character(text, at);
        if (character < 0) at = begin + 1, character = static_cast<unsigned char>(text[begin]);
        else if (!is_hidden(character) || (lines && character == '\n')) {
            result += text.substr(begin, at - begin);
            continue;
        }
        size_t letter = std::string_view("\t\n\r").find(char(character));
        std::string digits = hexadecimal(uint64_t(character));
        if (at == begin + 1 && letter != std::string_view::npos) (result += '\\') += "tnr"[letter];
        else if (at == begin + 1) (result += "\\x") += digits.substr(14);
        else (result += character > 0xFFFF ? "\\U" : "\\u") += digits.substr(character > 0xFFFF ? 8 : 12);
    }
    return result;
}

std::string quoted(std::string_view text) {
    size_t end = std::min<size_t>(text.size(), 40);
    while (end < text.size() && end > 0 && (text[end] & 0xC0) == 0x80) end--; // keeps characters complete
    return runtime::text('`', visible(text.substr(0, end)), end < text.size() ? "..`" : "`");
}

// ---- numbers -----------------------------------------------------------------------------------

/// A decimal number of at most 15 digits with a power of ten up to 22 is one exact product or quotient of doubles.
static bool parse_short(std::string_view text, double& number) {
    static constexpr double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t at = 0;
    bool negative = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) at++;
    int64_t mantissa = 0;
    int digits = 0, places = -1;
    for (; at < text.size(); at++) {
        if (text[at] >= '0' && text[at] <= '9') {
            mantissa = mantissa * 10 + (text[at] - '0');
            if (++digits > 15) return false;
            if (places >= 0) places++;
        } else if (text[at] == '.' && places < 0) {
            places = 0;
        } else {
            return false;
        }
    }
    if (digits == 0) return false;
    number = places > 0 ? double(mantissa) / powers[places] : double(mantissa);
    if (negative) number = -number;
    return true;
}

using Wide = unsigned __int128;

/// mantissa * 10^exponent, rounded once. 128 bits are carried; each power of ten may lose the last bit.
static double scaled(uint64_t mantissa, int64_t exponent) {
    if (mantissa == 0) return 0;
    Wide wide = Wide(mantissa) << 64;
    int64_t binary = -64;
    auto normalize = [&] {
        for (; !(wide >> 127); wide <<= 1) binary--;
    };
    normalize();
    for (; exponent > 0; exponent--) { // times 10 / 16
        wide = (wide >> 4) * 10 + ((wide & 15) * 10 >> 4);
        binary += 4;
        normalize();
    }
    for (; exponent < 0; exponent++) { // times 8 / 10
        Wide quotient = wide / 10, rest = wide % 10;
        wide = (quotient << 3) + (rest << 3) / 10; // quotient < 2^125
        binary -= 3;
        normalize();
    }
    uint64_t high = uint64_t(wide >> 64) | (uint64_t(wide) != 0 ? 1 : 0); // bits that are cut off still break ties
    return std::ldexp(double(high), int(binary) + 64);
}

static bool is_word(std::string_view text, std::string_view word) {
    if (text.size() != word.size()) return false;
    for (size_t i = 0; i < text.size(); i++) {
        if ((text[i] | 0x20) != word[i]) return false;
    }
    return true;
}

/// Handles many digits, exponents, inf and nan; digits after the 19th count as zeros.
static bool parse_long(std::string_view text, double& number) {
    size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    double sign = at == 1 && text[0] == '-' ? -1 : 1;
    std::string_view rest = text.substr(at);
    if (is_word(rest, "nan")) return number = __builtin_nan(""), true;
    if (is_word(rest, "inf") || is_word(rest, "infinity")) return number = sign * __builtin_inf(), true;
    uint64_t mantissa = 0;
    int64_t exponent = 0, digits = 0;
    bool point = false;
    for (; at < text.size(); at++) {
        char c = text[at];
        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            digits++;
            bool kept = mantissa < UINT64_MAX / 10 - 1;
            if (kept) mantissa = mantissa * 10 + uint64_t(c - '0');
            exponent += (kept ? 0 : 1) - (point ? 1 : 0);
        } else {
            break;
        }
    }
    if (digits == 0) return false;
    if (at < text.size()) {
        int64_t written;
        std::string_view power = text.substr(at + 1);
        if ((text[at] | 0x20) != 'e' || power.find('_') != std::string_view::npos || !parse_integer(power, written))
            return false;
        exponent += std::clamp<int64_t>(written, -100'000, 100'000);
    }
    exponent = std::clamp<int64_t>(exponent, -400, 400);
    number = sign * scaled(mantissa, exponent);
    return true;
}

bool parse_number(std::string_view text, double& number) {
    if (parse_short(text, number)) return true;
    return parse_long(text, number);
}

bool parse_integer(std::string_view text, int64_t& number) {
    size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    if (at == text.size()) return false;
    uint64_t value = 0;
    for (size_t i = at; i < text.size(); i++) {
        if (text[i] == '_' && i > at && i + 1 < text.size()) continue;
        if (text[i] < '0' || text[i] > '9' || value > 900'000'000'000'000'000) return false;
        value = value * 10 + uint64_t(text[i] - '0');
    }
    number = text[0] == '-' ? -int64_t(value) : int64_t(value);
    return true;
}

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        ssize_t written = write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno == EAGAIN) { // another process made the pipe nonblocking
            pollfd writable{descriptor, POLLOUT, 0};
            poll(&writable, 1, -1);
            continue;
        }
        if (written <= 0) return false;
        text.remove_prefix(size_t(written));
    }
    return true;
}

void complain(std::string_view line) { write_all(STDERR_FILENO, text(visible(line, true), '\n')); }

} // namespace gradc::runtime
