// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens of the model language. Newlines are no tokens: each token knows whether a line break stands before it, and the
// parser, which knows the brackets, decides what that means. Words are names here; which of them are reserved is said
// by `is_reserved`.
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
    // of other languages; the parser reports them with their repair
    define,
    compound_assign,
    double_star,
    double_slash,
    double_and,
    double_or,
    bang,
    unknown // a character of no token, reported already
};

struct Token {
    static constexpr uint32_t none = UINT32_MAX;
    TokenKind kind = TokenKind::end;
    bool line_before = false;  // a line break stands between this token and the one before
    bool blank_before = false; // an empty line stands before it, after any comment
    bool broken = false;       // a text that does not end on its line
    uint32_t begin = 0, end = 0;
    uint32_t link = none; // of a bracket: index of its partner or none; of text and number: index of its value
};

struct Comment {
    uint32_t begin = 0, end = 0; // from its # to the end of its text
    uint32_t before = 0;         // index of the token that follows
    bool own_line = false;       // nothing stands before it on its line
    bool blank_before = false;   // an empty line stands before it
};

struct Tokens {
    std::vector<Token> all; // the last is `end`
    std::vector<Comment> comments;
    std::vector<std::string> texts;
    std::vector<double> numbers;
};

/// Cuts source number `source` into tokens. What is no token is reported and skipped.
Tokens lex(const Sources& sources, uint32_t source, Diagnostics& diagnostics);

/// "`->`", "a name": how a token is called in messages.
std::string_view describe(TokenKind kind);

/// Words that can never be names: fn param if else repeat scan return yield and or not.
bool is_reserved(std::string_view word);

} // namespace gradc
