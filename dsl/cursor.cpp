// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Brackets are linked by the lexer, so recovery can skip a balanced group. A missing closing bracket is guessed by
// indentation.
#include "dsl/cursor.h"
#include "dsl/parser.h"
#include "dsl/unicode.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

Cursor::Cursor(const Sources& sources, uint32_t source, Diagnostics& diagnostics)
    : sources_(sources), source_(source), diagnostics_(diagnostics), tokens_(lex(sources, source, diagnostics)),
      comment_taken_(tokens_.comments.size()) {}

const Token& Cursor::peek(uint32_t ahead) const {
    return tokens_.all[std::min<size_t>(position_ + ahead, tokens_.all.size() - 1)];
}

std::string Cursor::word(const Token& token) const {
    std::string_view text = sources_.text(span(token));
    if (text.empty() || static_cast<unsigned char>(text[0]) < 0x80) return std::string(text);
    std::string_view ascii = ascii_for(decode_character(text).code);
    if (token.kind == TokenKind::number) ascii.remove_prefix(1); // ^2
    return std::string(ascii);
}

bool Cursor::is_word(uint32_t ahead, std::string_view text) const {
    return peek(ahead).kind == TokenKind::name && word(peek(ahead)) == text;
}

bool Cursor::at_name(uint32_t ahead) const {
    return peek(ahead).kind == TokenKind::name && !is_reserved(word(peek(ahead)));
}

Token Cursor::take() {
    Token token = peek();
    if (token.kind == TokenKind::end) return token;
    ++position_;
    last_end_ = token.end;
    return token;
}

bool Cursor::accept(TokenKind kind) {
    if (!at(kind)) return false;
    take();
    return true;
}

bool Cursor::accept_word(std::string_view text) {
    if (!at_word(text)) return false;
    take();
    return true;
}

Token Cursor::expect(TokenKind kind, std::string_view why) {
    if (!at(kind)) fail_expected(why);
    return take();
}

ast::Target Cursor::expect_name(std::string_view what) {
    if (at_name()) {
        Token token = take();
        return {word(token), span(token)};
    }
    if (!at(TokenKind::name)) fail_expected(fmt::format("the name of {}", what));
    std::string name = word(peek());
    fail(Code::reserved_word, span(peek()),
         fmt::format("`{}` is a word of the language and cannot be the name of {}", name, what), {},
         fmt::format("another name, such as `{}_`", name));
}

std::string Cursor::found() const {
    const Token& token = peek();
    if (token.kind == TokenKind::end) return "the end of the file";
    if (breaks_here()) return "the end of the line";
    if (token.kind == TokenKind::text) return "a text";
    return fmt::format("`{}`", word(token));
}

bool Cursor::breaks_here() const {
    if (at(TokenKind::end)) return true;
    bool in_brackets = !open_.empty() && tokens_.all[open_.back()].kind != TokenKind::left_brace;
    return peek().line_before && !in_brackets;
}

bool Cursor::statement_ends() const { return breaks_here() || at(TokenKind::semicolon) || at(TokenKind::right_brace); }

Token Cursor::open(TokenKind kind, std::string_view why) {
    if (!at(kind)) fail_expected(why);
    open_.push_back(position_);
    return take();
}

void Cursor::close(const Token& opening, std::string_view expected) {
    TokenKind kind = opening.kind == TokenKind::left_paren     ? TokenKind::right_paren
                     : opening.kind == TokenKind::left_bracket ? TokenKind::right_bracket
                                                               : TokenKind::right_brace;
    if (accept(kind)) return open_.pop_back();
    std::optional<Token> likely;
    if (kind == TokenKind::right_brace) likely = likely_unclosed();
    Remark opened{span(likely.value_or(opening)), fmt::format("`{}` was opened here", describe(opening.kind))};
    bool closer = at(TokenKind::right_paren) || at(TokenKind::right_bracket) || at(TokenKind::right_brace);
    if (peek().line_before || at(TokenKind::end) || at(TokenKind::semicolon) || closer) {
        Span place = closer ? span(peek()) : Span{source_, last_end_ - 1, last_end_};
        report(Code::unclosed_bracket, place, fmt::format("`{}` is missing", describe(kind)),
               fmt::format("expected {}", expected))
            .remarks.push_back(opened);
        if (closer && peek().link == Token::none) take();
    } else {
        report(Code::unexpected_token, span(peek()), fmt::format("expected {}, found {}", expected, found()))
            .remarks.push_back(opened);
    }
    throw SyntaxError{};
}

Span Cursor::split_update() {
    Token& token = tokens_.all[position_];
    token.kind = TokenKind::minus;
    last_end_ = ++token.begin;
    return {source_, token.begin - 1, token.begin};
}

uint32_t Cursor::behind_bracket(uint32_t ahead) const {
    const Token& token = peek(ahead);
    if (token.kind != TokenKind::left_paren && token.kind != TokenKind::left_bracket) return 0;
    return token.link == Token::none || token.link < position_ ? 0 : token.link - position_ + 1;
}

Diagnostic& Cursor::report(Code code, Span span, std::string message, std::string caret, std::string repair) {
    bool behind_broken =
        position_ > 0 && tokens_.all[position_ - 1].broken; // the broken string contains the missing bracket
    bool muted = gave_up_ || span.begin == last_error_ || at(TokenKind::unknown) || behind_broken;
    last_error_ = span.begin;
    if (diagnostics_.count() >= most_syntax_errors) give_up();
    if (!muted) return diagnostics_.report(code, span, std::move(message), std::move(caret), std::move(repair));
    return muted_ = Diagnostic{code, span, {}, {}, {}, {}, {}};
}

void Cursor::fail(Code code, Span span, std::string message, std::string caret, std::string repair) {
    report(code, span, std::move(message), std::move(caret), std::move(repair));
    throw SyntaxError{};
}

void Cursor::fail_expected(std::string_view expected, std::string repair) {
    Span place = span(peek());
    if (breaks_here()) place = {source_, last_end_ - std::min(last_end_, 1u), last_end_};
    fail(Code::unexpected_token, place, fmt::format("expected {}, found {}", expected, found()), {}, std::move(repair));
}

void Cursor::fail_too_deep(Span span, std::string_view what) {
    report(Code::nested_too_deep, span, std::string(what), {}, "give a part of it a name in a statement of its own");
    give_up();
    throw SyntaxError{};
}

void Cursor::give_up() {
    gave_up_ = true;
    position_ = static_cast<uint32_t>(tokens_.all.size() - 1);
}

void Cursor::recover(const Mark& mark) {
    for (size_t i = mark.open; i < open_.size(); ++i) {
        uint32_t peer = tokens_.all[open_[i]].link;
        if (peer == Token::none || peer < position_) continue;
        position_ = peer + 1;
        break;
    }
    open_.resize(std::min(open_.size(), mark.open));
    for (; !at(TokenKind::end) && !at(TokenKind::right_brace); ++position_) {
        if (peek().line_before && position_ > mark.position) return;
        if (accept(TokenKind::semicolon)) return;
        if (peek().link != Token::none && peek().link > position_ && !at(TokenKind::number) && !at(TokenKind::text))
            position_ = peek().link;
    }
}

void Cursor::recover_to_declaration(const Mark& mark) {
    open_.resize(std::min(open_.size(), mark.open));
    if (position_ == mark.position) ++position_;
    for (; !at(TokenKind::end); ++position_) {
        if (peek().line_before && (is_declaration() || (at(TokenKind::name) && begins_line(peek())))) return;
        if (at(TokenKind::left_brace) && peek().link != Token::none) position_ = peek().link;
    }
    position_ = std::min<uint32_t>(position_, static_cast<uint32_t>(tokens_.all.size() - 1));
}

bool Cursor::begins_line(const Token& token) const {
    return token.begin > 0 && sources_.all[source_].text[token.begin - 1] == '\n';
}

std::optional<Token> Cursor::likely_unclosed() const {
    auto column = [&](const Token& token) { return sources_.place(source_, token.begin).column; };
    std::optional<Token> likely;
    uint32_t line_column = 0; // of the first token on the line
    for (uint32_t i = open_.back(); i < position_; ++i) {
        const Token& token = tokens_.all[i];
        if (token.line_before) line_column = column(token);
        if (i == open_.back() || line_column == 0 || token.kind != TokenKind::left_brace || token.link == Token::none)
            continue;
        const Token& closing = tokens_.all[token.link];
        if (closing.line_before && column(closing) != line_column) likely = token;
    }
    return likely;
}

bool Cursor::is_declaration(uint32_t ahead) const {
    if (peek(ahead).kind != TokenKind::name) return false;
    std::string first = word(peek(ahead));
    TokenKind next = peek(ahead + 1).kind;
    bool name_next = next == TokenKind::name;
    if (first == "fn" || first == "model" || first == "const") return name_next;
    if (first == "dataset") return name_next && peek(ahead + 2).kind == TokenKind::left_brace;
    if (first == "use") return next == TokenKind::text;
    if (first == "train") {
        if (name_next) next = peek(ahead + 2).kind;
        return next == TokenKind::left_brace;
    }
    if (first == "rule") return is_word(ahead + 1, "fast") || is_word(ahead + 1, "exact");
    if (first != "optimizer" || !name_next) return false;
    uint32_t behind = behind_bracket(ahead + 2); // no setting of a train block has one after the bracket
    TokenKind then = behind ? peek(behind).kind : TokenKind::end;
    return then == TokenKind::left_brace || then == TokenKind::assign;
}

std::string Cursor::comment_text(const Comment& comment) const {
    std::string text(sources_.text({source_, comment.begin + 1, comment.end}));
    return text.empty() ? " " : text; // "" is a blank line
}

void Cursor::add_comments_above(std::vector<std::string>& lines, bool first_line) {
    auto add_blank = [&] {
        if (lines.empty() ? !first_line : !lines.back().empty()) lines.emplace_back();
    };
    const auto& all = tokens_.comments;
    auto first = std::lower_bound(all.begin(), all.end(), position_,
                                  [](const Comment& c, uint32_t position) { return c.before < position; });
    for (auto i = static_cast<size_t>(first - all.begin()); i < all.size() && all[i].before == position_; ++i) {
        if (comment_taken_[i]) continue;
        comment_taken_[i] = true;
        if (all[i].blank_before) add_blank();
        lines.push_back(comment_text(all[i]));
    }
    if (peek().blank_before) add_blank();
}

void Cursor::comments_of_statement(uint32_t begin, ast::Comments& comments) {
    const auto& all = tokens_.comments;
    auto first = std::lower_bound(all.begin(), all.end(), begin,
                                  [](const Comment& c, uint32_t offset) { return c.begin < offset; });
    auto i = static_cast<size_t>(first - all.begin());
    for (; i < all.size() && all[i].begin < last_end_; ++i) {
        if (comment_taken_[i]) continue;
        comment_taken_[i] = true;
        comments.before.push_back(comment_text(all[i]));
    }
    if (i == all.size() || all[i].before != position_ || all[i].own_line || comment_taken_[i]) return;
    comment_taken_[i] = true;
    comments.beside = comment_text(all[i]);
}

std::string Cursor::comment_beside_brace() {
    const auto& all = tokens_.comments;
    auto first = std::lower_bound(all.begin(), all.end(), position_,
                                  [](const Comment& c, uint32_t position) { return c.before < position; });
    if (first == all.end() || first->before != position_ || first->own_line) return {};
    comment_taken_[static_cast<size_t>(first - all.begin())] = true;
    return comment_text(*first);
}

bool Cursor::on_one_line(uint32_t begin, uint32_t end) const {
    return sources_.text({source_, begin, end}).find('\n') == std::string_view::npos;
}

Cursor::Level::Level(Cursor& cursor, int levels) : cursor_(cursor), levels_(levels) {
    if (cursor.depth_ + levels > nesting_limit)
        cursor.fail_too_deep(cursor.span(cursor.peek()), fmt::format("more than {} levels of nesting", nesting_limit));
    cursor.depth_ += levels;
}

} // namespace gradc
