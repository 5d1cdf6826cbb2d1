// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Words of C++, its headers and the text itself are never names of values; see names.h.
#include "compiler/target/cpp/names.h"
#include <cmath>
#include <fmt/format.h>

namespace gradc::target {

namespace {

/// Keywords and types of C++, parameters of kernels, functions of the prelude and macros of the text; each between
/// blanks.
constexpr std::string_view reserved =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl"
    " const constexpr const_cast continue decltype default delete do double dynamic_cast else enum"
    " explicit export extern false float for friend goto if inline int long mutable namespace new"
    " noexcept not not_eq nullptr operator or or_eq private protected public register"
    " reinterpret_cast return short signed sizeof static static_assert static_cast struct switch"
    " template this thread_local throw true try typedef typeid typename union unsigned using"
    " virtual void volatile wchar_t while xor xor_eq linux unix main int8_t int32_t int64_t"
    " uint8_t uint16_t uint32_t uint64_t size_t NULL arena sizes begin end table fma root floor"
    " absolute minimum maximum sum_of max_of min_of store store_strided plus minus times"
    " times_high left right_unsigned bits_of float_of double_of to_bf16 from_bf16 quotient"
    " remainder_of Rows lane lanes splat lane_numbers first_lanes load load_strided gather"
    " baseline avx2 avx512 BASELINE AVX2 AVX512 INLINE UNROLL ALWAYS_INLINE ";

/// f32, i32x16: the prelude's types.
bool is_type_name(const std::string& name) {
    for (const char* dtype : {"f32", "f64", "i8", "i32", "i64", "u8", "u16", "u32", "u64"}) {
        size_t at = std::string(dtype).size();
        if (name.compare(0, at, dtype) != 0) continue;
        if (at == name.size()) return true;
        if (name[at++] != 'x') continue;
        size_t end = std::min(name.find_first_not_of("0123456789", at), name.size());
        std::string rest = name.substr(end);
        if (rest.empty()) return true;
    }
    return false;
}

} // namespace

std::string identifier(const std::string& text) {
    std::string result;
    for (char c : text) {
        bool plain = std::isalnum(static_cast<unsigned char>(c)) && static_cast<unsigned char>(c) < 128;
        if (plain) result += c;
        else if (!result.empty() && result.back() != '_') result += '_';
    }
    while (!result.empty() && result.back() == '_') result.pop_back();
    if (result.empty() || std::isdigit(static_cast<unsigned char>(result[0]))) result = "v" + result;
    // INT32_MAX, GRADC_..: macros of the headers are in capitals
    bool capitals = result.find('_') != std::string::npos;
    for (char c : result) capitals = capitals && !std::islower(static_cast<unsigned char>(c));
    if (capitals)
        for (char& c : result) c = char(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

bool Names::free(const std::string& name) const {
    return !taken_.count(name) && reserved.find(" " + name + " ") == std::string_view::npos && !is_type_name(name);
}

std::string Names::fresh(const std::string& wanted) {
    std::string base = identifier(wanted), name = base;
    while (!free(name)) name = fmt::format("{}_{}", base, ++repeats_[base]);
    taken_.insert(name);
    return name;
}

std::string Names::numbered(const std::string& stem) {
    std::string name;
    do name = fmt::format("{}{}", stem, ++numbers_[stem]);
    while (!free(name));
    taken_.insert(name);
    return name;
}

std::string upper(std::string_view name) {
    std::string result;
    for (char c : name) result += char(std::toupper(static_cast<unsigned char>(c)));
    return result;
}

bool contains_word(const std::string& text, const std::string& word) {
    auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        size_t end = at + word.size();
        if ((at == 0 || !letter(text[at - 1])) && (end == text.size() || !letter(text[end]))) return true;
    }
    return false;
}

std::string number(double value, Dtype dtype) {
    bool single = dtype == Dtype::f32;
    std::string sign = std::signbit(value) ? "-" : "", suffix = single ? "f" : "";
    if (single) value = double(float(value));
    if (std::isnan(value)) return fmt::format("{}__builtin_nan{}(\"\")", sign, suffix);
    if (std::isinf(value)) return fmt::format("{}__builtin_inf{}()", sign, suffix);
    std::string digits = single ? fmt::format("{}", float(value)) : fmt::format("{}", value);
    if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
    return digits + suffix;
}

std::string integer_number(int64_t value, Dtype dtype) {
    if (dtype == Dtype::i32 && value == INT32_MIN) return "(-2147483647 - 1)";
    if (value == INT64_MIN) return "(-9223372036854775807L - 1)";
    bool small = value > INT32_MIN && value <= INT32_MAX;
    return small ? fmt::format("{}", value) : fmt::format("{}L", value);
}

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (unsigned char c : text) {
        if (c == '"' || c == '\\') result += {'\\', char(c)};
        else if (c == '\n') result += "\\n";
        else if (c < 32 || c == 127 || c == '?') result += fmt::format("\\{:03o}", c); // ?: no trigraph
        else result += char(c);
    }
    return result + "\"";
}

} // namespace gradc::target
