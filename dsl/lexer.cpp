// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lexer makes one pass over the bytes. Numbers stop before `..`, so that 0..64 is a range. Forms of other languages
// (comments with //, 'text', look-alike characters) are reported with a repair and read as the intended form, so that
// one mistake gives one error.
#include "dsl/token.h"
#include "dsl/unicode.h"
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace gradc {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }

struct Symbol {
    std::string_view text;
    TokenKind kind;
};
constexpr Symbol symbols[] = { // longer symbols before their prefixes
    {"==", TokenKind::equal},
    {"!=", TokenKind::not_equal},
    {"<=", TokenKind::less_equal},
    {">=", TokenKind::greater_equal},
    {"->", TokenKind::arrow},
    {"<-", TokenKind::update},
    {"..", TokenKind::dots},
    {":=", TokenKind::define},
    {"+=", TokenKind::compound_assign},
    {"-=", TokenKind::compound_assign},
    {"*=", TokenKind::compound_assign},
    {"/=", TokenKind::compound_assign},
    {"//=", TokenKind::compound_assign},
    {"**", TokenKind::double_star},
    {"//", TokenKind::double_slash},
    {"&&", TokenKind::double_and},
    {"||", TokenKind::double_or},
    {"(", TokenKind::left_paren},
    {")", TokenKind::right_paren},
    {"[", TokenKind::left_bracket},
    {"]", TokenKind::right_bracket},
    {"{", TokenKind::left_brace},
    {"}", TokenKind::right_brace},
    {",", TokenKind::comma},
    {":", TokenKind::colon},
    {";", TokenKind::semicolon},
    {".", TokenKind::dot},
    {"=", TokenKind::assign},
    {"'", TokenKind::quote},
    {"<", TokenKind::less},
    {">", TokenKind::greater},
    {"+", TokenKind::plus},
    {"-", TokenKind::minus},
    {"*", TokenKind::star},
    {"/", TokenKind::slash},
    {"%", TokenKind::percent},
    {"@", TokenKind::at},
    {"^", TokenKind::caret},
    {"!", TokenKind::bang}};

class Lexer {
public:
    Lexer(const Sources& sources, uint32_t source, Diagnostics& diagnostics)
        : text_(sources.all.at(source).text), source_(source), diagnostics_(diagnostics) {}

    Tokens run() {
        if (readable())
            while (at_ < text_.size()) step();
        at_ = std::min(at_, text_.size());
        push(TokenKind::end, at_);
        match_brackets();
        return std::move(tokens_);
    }

private:
    std::string_view text_;
    uint32_t source_;
    Diagnostics& diagnostics_;
    Tokens tokens_;
    size_t at_ = 0;
    size_t breaks_ = 1;              // line breaks since the last token or comment
    bool line_before_ = true;        // a line break since the last token
    int open_ = 0;                   // ( and [ that are open, roughly: only to guess what // means
    size_t odd_end_ = SIZE_MAX;      // end of the last run of unexpected characters
    std::vector<uint32_t> reported_; // look-alikes reported already

    char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

    void report(Code code, size_t begin, size_t end, std::string message, std::string repair = {}) {
        Span span{source_, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
        diagnostics_.report(code, span, std::move(message), {}, std::move(repair));
    }

    /// Reports the first invalid byte. False for a file in UTF-16, which cannot be read.
    bool readable() {
        if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF")) {
            report(Code::not_utf8, 0, 2, "the file is written in UTF-16", "save it as UTF-8");
            return false;
        }
        for (size_t i = 0; i < text_.size();) {
            Character character = decode_character(text_.substr(i));
            if (!character.valid) {
                auto byte = static_cast<unsigned char>(text_[i]);
                report(Code::not_utf8, i, i + 1, fmt::format("byte 0x{:02X} is not valid UTF-8", byte),
                       "save the file as UTF-8");
                break;
            }
            i += character.length;
        }
        if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3; // a byte order mark has no meaning in UTF-8
        return true;
    }

    void push(TokenKind kind, size_t begin, uint32_t link = Token::none) {
        tokens_.all.push_back(
            {kind, line_before_, breaks_ >= 2, false, static_cast<uint32_t>(begin), static_cast<uint32_t>(at_), link});
        line_before_ = false;
        breaks_ = 0;
    }

    void step() {
        char c = peek();
        if (c == '\n') {
            ++at_;
            ++breaks_;
            line_before_ = true;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            ++at_;
        } else if (c == '#') {
            comment();
        } else if (is_letter(c)) {
            size_t begin = at_;
            while (is_word(peek())) ++at_;
            push(TokenKind::name, begin);
        } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
            number();
        } else if (c == '"') {
            quoted("\"", 1);
        } else if (static_cast<unsigned char>(c) >= 0x80) {
            beyond_ascii();
        } else {
            symbol();
        }
    }

    void comment() {
        size_t begin = at_, end = std::min(text_.find('\n', at_), text_.size());
        at_ = end;
        while (end > begin && (text_[end - 1] == '\r' || text_[end - 1] == ' ' || text_[end - 1] == '\t')) --end;
        bool own_line = line_before_ || tokens_.all.empty();
        tokens_.comments.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end),
                                    static_cast<uint32_t>(tokens_.all.size()), own_line, breaks_ >= 2});
        breaks_ = 0;
    }

    void digits() {
        while (is_digit(peek()) || (peek() == '_' && is_digit(peek(1)))) ++at_;
    }

    /// Bytes before the digits of an exponent: 1 for e5, 2 for e-5, 0 without an exponent.
    size_t exponent_at(size_t ahead) const {
        if (peek(ahead) != 'e' && peek(ahead) != 'E') return 0;
        size_t length = peek(ahead + 1) == '+' || peek(ahead + 1) == '-' ? 2 : 1;
        return is_digit(peek(ahead + length)) ? length : 0;
    }

    void number() {
        size_t begin = at_;
        digits();
        if (peek() == '.' && peek(1) != '.' && (!is_letter(peek(1)) || exponent_at(1))) {
            ++at_;
            digits();
        }
        if (size_t length = exponent_at(0)) {
            at_ += length;
            digits();
        }
        size_t end = at_;
        double value = parse_number(begin, end);
        push(TokenKind::number, begin, static_cast<uint32_t>(tokens_.numbers.size()));
        tokens_.numbers.push_back(value);
        if (!is_letter(peek())) return;
        while (is_word(peek())) ++at_;
        std::string_view all = text_.substr(begin, at_ - begin), tail = text_.substr(end, at_ - end);
        report(Code::malformed_number, begin, at_, fmt::format("`{}` is neither a number nor a name", all),
               fmt::format("write a product as `{} * {}`", text_.substr(begin, end - begin), tail));
    }

    double parse_number(size_t begin, size_t end) {
        std::string plain;
        std::copy_if(text_.begin() + static_cast<ptrdiff_t>(begin), text_.begin() + static_cast<ptrdiff_t>(end),
                     std::back_inserter(plain), [](char c) { return c != '_'; });
        double value = 0;
        auto result = std::from_chars(plain.data(), plain.data() + plain.size(), value);
        bool integer = plain.find_first_of(".eE") == plain.npos;
        if (result.ec == std::errc::result_out_of_range)
            report(Code::number_out_of_range, begin, end, "the number is too large or too small for a double");
        else if (integer && value >= 9007199254740992.0)
            report(Code::number_out_of_range, begin, end, "integers must be below 2^53 = 9007199254740992",
                   "a number with a decimal point or an exponent is a float");
        return value;
    }

    /// A string up to `close` on the same line, after `open_length` opening bytes.
    void quoted(std::string_view close, size_t open_length) {
        size_t begin = at_;
        std::string value;
        bool broken = false;
        at_ += open_length;
        for (;;) {
            if (at_ >= text_.size() || peek() == '\n' || peek() == '\r') {
                report(Code::unterminated_text, begin, at_, "this string is not closed on its line",
                       "close it with `\"`");
                broken = true;
                break;
            }
            if (text_.substr(at_).starts_with(close)) {
                at_ += close.size();
                break;
            }
            if (peek() == '\\') escape(value);
            else value += text_[at_++];
        }
        push(TokenKind::text, begin, static_cast<uint32_t>(tokens_.texts.size()));
        tokens_.texts.push_back(std::move(value));
        tokens_.all.back().broken = broken;
    }

    void escape(std::string& value) {
        constexpr std::string_view letters = "\\\"nt", meanings = "\\\"\n\t";
        size_t which = letters.find(peek(1));
        if (peek(1) != '\0' && which != letters.npos) {
            value += meanings[which];
            at_ += 2;
            return;
        }
        report(Code::unknown_escape, at_, at_ + 1, "a `\\` in a string must be followed by `\\`, `\"`, `n` or `t`",
               "write a backslash as `\\\\`; paths use `/` on every system");
        value += text_[at_++];
    }

    void symbol() {
        std::string_view rest = text_.substr(at_);
        if (rest.starts_with("...") && !(rest.size() > 3 && is_digit(rest[3]))) return three_dots();
        if (rest.starts_with("/*")) return block_comment();
        bool goes_on = open_ > 0 || !line_before_; // a line break in brackets does not end a statement
        if (rest.starts_with("//") && !(goes_on && ends_value())) return slash_comment();
        if (rest.starts_with("'") && !after_value()) return single_quoted();
        for (const Symbol& symbol : symbols) {
            if (!rest.starts_with(symbol.text)) continue;
            size_t begin = at_;
            at_ += symbol.text.size();
            push(symbol.kind, begin);
            if (symbol.kind == TokenKind::left_paren || symbol.kind == TokenKind::left_bracket) ++open_;
            if (symbol.kind == TokenKind::right_paren || symbol.kind == TokenKind::right_bracket) --open_;
            if (symbol.kind == TokenKind::right_brace || symbol.kind == TokenKind::left_brace) open_ = 0;
            return;
        }
        odd();
    }

    /// True if the last token ends a value, so that a `'` after it transposes and `//` divides.
    bool after_value() const { return !line_before_ && ends_value(); }
    bool ends_value() const {
        if (tokens_.all.empty()) return false;
        const Token& last = tokens_.all.back();
        if (last.kind == TokenKind::name) return !is_reserved(text_.substr(last.begin, last.end - last.begin));
        return last.kind == TokenKind::right_paren || last.kind == TokenKind::right_bracket ||
               last.kind == TokenKind::quote || last.kind == TokenKind::number;
    }

    void single_quoted() {
        size_t close = text_.find_first_of("'\n", at_ + 1);
        if (close == text_.npos || text_[close] != '\'') {
            size_t begin = at_++;
            return push(TokenKind::quote, begin);
        }
        report(Code::foreign_operator, at_, close + 1, "strings need double quotes",
               fmt::format("write `\"{}\"`", text_.substr(at_ + 1, close - at_ - 1)));
        quoted("'", 1);
    }

    void three_dots() {
        report(Code::foreign_operator, at_, at_ + 3, "`...` is not part of the language", "write `..` for any axes");
        size_t begin = at_;
        while (peek() == '.') ++at_;
        push(TokenKind::dots, begin);
    }

    void slash_comment() {
        size_t end = std::min(text_.find('\n', at_), text_.size());
        report(Code::foreign_comment, at_, at_ + 2, "`//` divides, and there is no value before it",
               "a comment begins with `#`");
        at_ = end;
    }

    void block_comment() {
        size_t close = text_.find("*/", at_ + 2);
        report(Code::foreign_comment, at_, at_ + 2, "`/*` is not part of the language",
               "each line of a comment begins with `#`");
        size_t end = close == text_.npos ? text_.size() : close + 2;
        line_before_ |= text_.substr(at_, end - at_).find('\n') != text_.npos;
        at_ = end;
    }

    void beyond_ascii() {
        Character character = decode_character(text_.substr(at_));
        if (!character.valid) { // reported by readable()
            ++at_;
            return;
        }
        std::string_view ascii = ascii_for(character.code);
        if (ascii.empty()) return odd();
        if (std::find(reported_.begin(), reported_.end(), character.code) == reported_.end()) {
            reported_.push_back(character.code);
            report(Code::unexpected_character, at_, at_ + character.length,
                   fmt::format("the character `{}` (U+{:04X}) is not part of the language",
                               text_.substr(at_, character.length), character.code),
                   ascii == " " ? "it looks like a space: type a plain space" : fmt::format("write `{}`", ascii));
        }
        meant(ascii, character.length);
    }

    /// Continues as if the next `length` bytes were `ascii`.
    void meant(std::string_view ascii, uint32_t length) {
        if (ascii == "\"") {
            std::string_view line = text_.substr(at_, text_.find('\n', at_) - at_);
            constexpr std::string_view closing = "\xE2\x80\x9D"; // U+201D
            return quoted(line.find(closing, 1) != line.npos ? closing : "\"", length);
        }
        size_t begin = at_;
        at_ += length;
        if (ascii == " ") return;
        if (is_letter(ascii[0])) return push(TokenKind::name, begin);
        for (const Symbol& symbol : symbols) {
            if (!ascii.starts_with(symbol.text)) continue;
            push(symbol.kind, begin);
            break;
        }
        if (!is_digit(ascii.back())) return;
        push(TokenKind::number, begin, static_cast<uint32_t>(tokens_.numbers.size()));
        tokens_.numbers.push_back(ascii.back() - '0');
    }

    void odd() {
        Character character = decode_character(text_.substr(at_));
        size_t begin = at_;
        at_ += character.length;
        bool in_run = begin == odd_end_;
        odd_end_ = at_;
        if (in_run) return;
        push(TokenKind::unknown, begin);
        bool shown = character.code > 0x20 && character.code != 0x7F;
        std::string what = shown ? fmt::format("the character `{}`", text_.substr(begin, character.length))
                                 : fmt::format("the character U+{:04X}", character.code);
        report(Code::unexpected_character, begin, at_, what + " is not part of the language",
               character.code >= 0x80   ? "names consist of letters a to z, digits and `_`"
               : character.code == '?'  ? "write a choice as `where(condition, a, b)`"
               : character.code == '\\' ? "a line continues inside brackets and after an operator"
               : character.code == '&'  ? "write `and`"
               : character.code == '|'  ? "write `or`"
                                        : "");
    }

    /// Links brackets with their partners. A bracket that is closed by another kind has no partner; ( and [ end at the
    /// } around them.
    void match_brackets() {
        std::vector<uint32_t> open;
        for (uint32_t i = 0; i < tokens_.all.size(); ++i) {
            TokenKind kind = tokens_.all[i].kind;
            if (kind == TokenKind::left_paren || kind == TokenKind::left_bracket || kind == TokenKind::left_brace)
                open.push_back(i);
            if (kind == TokenKind::right_brace) {
                while (!open.empty() && tokens_.all[open.back()].kind != TokenKind::left_brace) open.pop_back();
                link_last(open, i);
            } else if (kind == TokenKind::right_paren || kind == TokenKind::right_bracket) {
                TokenKind other = kind == TokenKind::right_paren ? TokenKind::left_paren : TokenKind::left_bracket;
                if (!open.empty() && tokens_.all[open.back()].kind == other) link_last(open, i);
            }
        }
    }

    void link_last(std::vector<uint32_t>& open, uint32_t close) {
        if (open.empty()) return;
        tokens_.all[open.back()].link = close;
        tokens_.all[close].link = open.back();
        open.pop_back();
    }
};

} // namespace

Tokens lex(const Sources& sources, uint32_t source, Diagnostics& diagnostics) {
    return Lexer(sources, source, diagnostics).run();
}

std::string_view describe(TokenKind kind) {
    switch (kind) {
    case TokenKind::end: return "the end of the file";
    case TokenKind::name: return "a name";
    case TokenKind::number: return "a number";
    case TokenKind::text: return "a text";
    default: break;
    }
    for (const Symbol& symbol : symbols)
        if (symbol.kind == kind) return symbol.text;
    return "a symbol";
}

bool is_reserved(std::string_view word) {
    static constexpr std::array<std::string_view, 12> words{"fn",     "param", "if",  "else", "repeat", "scan",
                                                            "return", "yield", "and", "or",   "not",    "with"};
    return std::find(words.begin(), words.end(), word) != words.end();
}

} // namespace gradc
