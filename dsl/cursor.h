// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parser's position in its tokens: open brackets, depth, comments that no statement has taken, and errors. A syntax
// error is reported and thrown as SyntaxError. The statement or declaration around it catches it and continues after
// it. Line breaks inside ( and [ are ignored.
#pragma once
#include "dsl/ast.h"
#include "dsl/token.h"

namespace gradc {

struct SyntaxError {}; // reported already

/// A position in the tokens of one source. Sources and diagnostics are not owned.
class Cursor {
public:
    Cursor(const Sources& sources, uint32_t source, Diagnostics& diagnostics);

    /// The token `ahead` of the position; `end` past the last one.
    const Token& peek(uint32_t ahead = 0) const;
    bool at(TokenKind kind) const { return peek().kind == kind; }
    bool at_word(std::string_view text) const { return is_word(0, text); }
    bool is_word(uint32_t ahead, std::string_view text) const;
    bool at_name(uint32_t ahead = 0) const; // a name that is not reserved
    /// Take the next token if it is of this kind or word.
    bool accept(TokenKind kind);
    bool accept_word(std::string_view text);
    Token take();
    /// Takes a token of this kind, or throws SyntaxError.
    Token expect(TokenKind kind, std::string_view why);
    /// A name that is not reserved. `what` is its use in the error message ("a variable"). Throws SyntaxError.
    ast::Target expect_name(std::string_view what);

    const Sources& sources() const { return sources_; }
    const Token& previous() const { return tokens_.all[position_ - (position_ > 0)]; }
    std::string word(const Token& token) const; // its text; look-alikes as ASCII
    std::string_view text(Span span) const { return sources_.text(span); }
    Span span(const Token& token) const { return {source_, token.begin, token.end}; }
    Span span_from(uint32_t begin) const { return {source_, begin, std::max(begin, last_end_)}; }
    const std::string& text_value(const Token& token) const { return tokens_.texts.at(token.link); }
    double number_value(const Token& token) const { return tokens_.numbers.at(token.link); }
    /// The next token for messages: "`else`", "the end of the line".
    std::string found() const;

    /// True if the statement ends here: at a line break outside ( and [, at ; } or the end.
    bool statement_ends() const;
    bool begins_line(const Token& token) const; // without indentation
    /// True if a line break follows. Unlike statement_ends, it ignores brackets and `;`.
    bool breaks_here() const;

    /// Take an opening bracket, and the closing bracket of `opening`. Both throw SyntaxError.
    Token open(TokenKind kind, std::string_view why);
    void close(const Token& opening, std::string_view expected);
    /// Takes the `<` of a `<-` inside an expression (a<-3) and leaves the `-`.
    Span split_update();
    /// Index of the token after the bracket that token `ahead` opens, counted from here; 0 if it never closes.
    uint32_t behind_bracket(uint32_t ahead) const;

    /// Reports an error, at most one per place.
    Diagnostic& report(Code code, Span span, std::string message, std::string caret = {}, std::string repair = {});
    /// Reports an error and throws SyntaxError.
    [[noreturn]] void fail(Code code, Span span, std::string message, std::string caret = {}, std::string repair = {});
    /// Fails at the next token: "expected .., found ..".
    [[noreturn]] void fail_expected(std::string_view expected, std::string repair = {});
    [[noreturn]] void fail_too_deep(Span span, std::string_view what);

    /// The state to restore when an error is caught.
    struct Mark {
        uint32_t position;
        size_t open;
    };
    Mark mark() const { return {position_, open_.size()}; }
    /// After an error: skips the brackets opened since `mark`, then to the end of the statement.
    void recover(const Mark& mark);
    /// After an error: skips to the next line that begins with a declaration or, without indentation, with a name.
    void recover_to_declaration(const Mark& mark);
    bool is_declaration(uint32_t ahead = 0) const;
    bool gave_up() const { return gave_up_; }

    /// Adds the comments above the next token, as Comments::before. `first`: begins a block, where empty lines are
    /// dropped.
    void add_comments_above(std::vector<std::string>& lines, bool first);
    /// Takes the remaining comments in the statement that began at byte `begin`, and the comment beside its end.
    void comments_of_statement(uint32_t begin, ast::Comments& comments);
    /// The comment on the line of the brace that was taken last.
    std::string comment_beside_brace();
    bool on_one_line(uint32_t begin, uint32_t end) const;

    /// Counts one level of nesting while it lives.
    class Level {
    public:
        Level(Cursor& cursor, int levels = 1);
        ~Level() { cursor_.depth_ -= levels_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

    private:
        Cursor& cursor_;
        int levels_;
    };

private:
    void give_up();
    /// The last brace inside the innermost open one whose partner, by its indentation, belongs to another brace.
    std::optional<Token> likely_unclosed() const;
    std::string comment_text(const Comment& comment) const;

    const Sources& sources_;
    uint32_t source_;
    Diagnostics& diagnostics_;
    Tokens tokens_;
    uint32_t position_ = 0;
    uint32_t last_end_ = 0;
    int depth_ = 0;
    std::vector<uint32_t> open_; // indices of opening brackets around the position
    std::vector<bool> comment_taken_;
    Diagnostic muted_{};               // what report returns for a suppressed error
    uint32_t last_error_ = UINT32_MAX; // byte offset: one error per place
    bool gave_up_ = false;             // too deep or too many errors: the rest is skipped without reports
};

} // namespace gradc
