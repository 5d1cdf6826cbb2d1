// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens of the model language. Newlines are no tokens: each token knows whether a line break precedes it, and the
// parser, which knows the brackets, decides whether it ends a statement. Words are names here; `is_reserved` tells
// which are reserved.
#pragma once
#include "dsl/diagnostic.h"

namespace gradc {

enum class TokenKind : uint8_t {
    end,
    name,
    number,
    text,
    left_paren,
    right_paren,
    left_bracket,
    right_bracket,
    left_brace,
    right_brace,
    comma,
    colon,
    semicolon,
    dot,
    dots,
    arrow,
    update,
    assign,
    quote,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    plus,
    minus,
    star,
    slash,
    percent,
    at,
    caret,
    // of other languages; the parser reports them with a repair
    define,
    compound_assign,
    double_star,
    double_slash,
    double_and,
    double_or,
    bang,
    unknown // a character of no token, reported already
};

/// A token: bytes [begin, end) of its source.
struct Token {
    static constexpr uint32_t none = UINT32_MAX;
    TokenKind kind = TokenKind::end;
    bool line_before = false;  // a line break precedes this token
    bool blank_before = false; // an empty line precedes it, after any comment
    bool broken = false;       // a string that is not closed on its line
    uint32_t begin = 0, end = 0;
    uint32_t link = none; // of a bracket: index of its partner or none; of text and number: index of its value
};

/// A comment: bytes [begin, end) of its source.
struct Comment {
    uint32_t begin = 0, end = 0; // from its # to the end of its text
    uint32_t before = 0;         // index of the token that follows
    bool own_line = false;       // it is alone on its line
    bool blank_before = false;   // an empty line precedes it
};

/// The tokens of one source, with the values of its strings and numbers.
struct Tokens {
    std::vector<Token> all; // the last is `end`
    std::vector<Comment> comments;
    std::vector<std::string> texts;
    std::vector<double> numbers;
};

/// Cuts source number `source` into tokens. Invalid characters are reported and skipped.
Tokens lex(const Sources& sources, uint32_t source, Diagnostics& diagnostics);

/// A token for messages: "`->`", "a name".
std::string_view describe(TokenKind kind);

/// Words that can never be names: fn param if else repeat scan with return yield and or not.
bool is_reserved(std::string_view word);

} // namespace gradc
