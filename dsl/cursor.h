// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the parser stands in its tokens: brackets that are open, depth, comments not yet given to a statement, and
// errors. A syntax error is thrown as SyntaxError after it was reported; the statement or declaration around it catches
// it and goes on behind. Inside ( and [ line breaks mean nothing.
#pragma once
#include "dsl/ast.h"
#include "dsl/token.h"

namespace gradc {

struct SyntaxError {}; // reported already

class Cursor {
public:
    Cursor(const Sources& sources, uint32_t source, Diagnostics& diagnostics);

    const Token& peek(uint32_t ahead = 0) const;
    bool at(TokenKind kind) const { return peek().kind == kind; }
    bool at_word(std::string_view text) const { return is_word(0, text); }
    bool is_word(uint32_t ahead, std::string_view text) const;
    bool at_name(uint32_t ahead = 0) const; // a name that is not reserved
    bool accept(TokenKind kind);
    bool accept_word(std::string_view text);
    Token take();
    Token expect(TokenKind kind, std::string_view why);
    /// A name that may be given to something; `what` says to what ("a variable").
    ast::Target expect_name(std::string_view what);

    const Sources& sources() const { return sources_; }
    const Token& previous() const { return tokens_.all[position_ - (position_ > 0)]; }
    std::string word(const Token& token) const; // its text; look-alikes as ASCII
    std::string_view text(Span span) const { return sources_.text(span); }
    Span span(const Token& token) const { return {source_, token.begin, token.end}; }
    Span span_from(uint32_t begin) const { return {source_, begin, std::max(begin, last_end_)}; }
    const std::string& text_value(const Token& token) const { return tokens_.texts.at(token.link); }
    double number_value(const Token& token) const { return tokens_.numbers.at(token.link); }
    /// "`else`", "the end of the line": the next token as messages call it.
    std::string found() const;

    /// Whether the statement ends here: at a line break outside of ( and [, at ; } or the end.
    bool statement_ends() const;
    bool begins_line(const Token& token) const; // without indentation
    /// Whether nothing on this line follows what was read; unlike statement_ends it looks at line breaks alone.
    bool breaks_here() const;

    /// Take an opening bracket and its closing one.
    Token open(TokenKind kind, std::string_view why);
    void close(const Token& opening, std::string_view expected);
    /// Takes the `<` of a `<-` that stands inside an expression (a<-3) and leaves the `-`.
    Span split_update();
    /// Index of the token behind the bracket that `ahead` opens, counted from here; 0 if it never closes.
    uint32_t behind_bracket(uint32_t ahead) const;

    Diagnostic& report(Code code, Span span, std::string message, std::string caret = {}, std::string repair = {});
    [[noreturn]] void fail(Code code, Span span, std::string message, std::string caret = {}, std::string repair = {});
    /// Fails at the next token: "expected .., found ..".
    [[noreturn]] void fail_expected(std::string_view expected, std::string repair = {});
    [[noreturn]] void fail_too_deep(Span span, std::string_view what);

    /// What stands to be restored when an error is caught.
    struct Mark {
        uint32_t position;
        size_t open;
    };
    Mark mark() const { return {position_, open_.size()}; }
    /// After an error: behind the brackets opened since `mark`, then to the end of the statement.
    void recover(const Mark& mark);
    /// After an error: to the next line that begins with a declaration or, without indentation, with a name.
    void recover_to_declaration(const Mark& mark);
    bool is_declaration(uint32_t ahead = 0) const;
    bool gave_up() const { return gave_up_; }

    /// Adds the comments above the next token, as Comments::before; at the first of a block no empty line.
    void add_comments_above(std::vector<std::string>& lines, bool first);
    /// Untaken comments in the statement that began at byte `begin`, and the one beside its end.
    void comments_of_statement(uint32_t begin, ast::Comments& comments);
    /// The comment on the line of a brace just taken.
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
    /// Of the braces in the innermost open one the last whose partner, by its indentation, belongs to another.
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
    Diagnostic muted_{};               // what report returns where it keeps silent
    uint32_t last_error_ = UINT32_MAX; // byte offset: one error a place
    bool gave_up_ = false;             // too deep or too many errors: the rest is skipped in silence
};

} // namespace gradc
