// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of the parser, by level: expressions, types, statements, declarations. Each function reads the construct of
// its name from the cursor. It reports an error and throws SyntaxError if the construct is not there.
#pragma once
#include "dsl/cursor.h"

namespace gradc {

/// Binding strength of the operators, weakest first.
enum class Strength { lowest, disjunction, conjunction, negation, comparison, sum, product, power };

/// A whole expression, a `scan` included.
ast::ExprRef parse_expression(Cursor& cursor);
/// An expression whose operators bind at least as strongly as `weakest`. Bounds are sums, since `<` has another meaning
/// there.
ast::ExprRef parse_operators(Cursor& cursor, Strength weakest);
/// An entry between commas in [ ] and, without slices, in ( ): an expression, a range, .. or a slice.
ast::ExprRef parse_entry(Cursor& cursor, bool slices);
/// `(` arguments `)` or `[` indices `]`.
std::vector<ast::Argument> parse_arguments(Cursor& cursor);
std::vector<ast::IndexBinder> parse_binders(Cursor& cursor);
ast::ExprRef parse_scan(Cursor& cursor);
/// An expression of one node over parsed parts. Fails if the tree becomes too high.
ast::ExprRef make_expression(Cursor& cursor, uint32_t begin, decltype(ast::Expr::node) node);

ast::TypeExpr parse_type(Cursor& cursor);

ast::BlockRef parse_block(Cursor& cursor);
/// A statement without its comments and its end.
ast::Statement parse_statement(Cursor& cursor);
/// Expects the end of a statement or a line of a block, and takes its `;`.
void parse_end(Cursor& cursor);
/// True at `name =`, `name <-`, `name[..] =` or `name, name`.
bool at_assignment(const Cursor& cursor);
/// Reports a foreign word that begins a statement or declaration, such as `for`. False if it is none.
bool report_foreign_word(Cursor& cursor);

ast::Item parse_item(Cursor& cursor);
decltype(ast::Item::node) parse_dataset(Cursor& cursor);
decltype(ast::Item::node) parse_train(Cursor& cursor);

/// Reads the lines of a block up to its closing brace. `read` reads one line, without comments and end. Errors are
/// caught here, and reading continues with the next line. Comments above lone semicolons join those of the next line;
/// without a next line they are returned.
template <typename Line, typename Read>
std::vector<std::string> parse_lines(Cursor& cursor, std::vector<Line>& lines, const Read& read) {
    std::vector<std::string> above;
    while (!cursor.at(TokenKind::right_brace) && !cursor.at(TokenKind::end)) {
        if (cursor.begins_line(cursor.peek()) && cursor.is_declaration()) break; // a brace is missing
        cursor.add_comments_above(above, lines.empty());
        if (cursor.accept(TokenKind::semicolon)) continue;
        Cursor::Mark mark = cursor.mark();
        try {
            uint32_t begin = cursor.peek().begin;
            Line line = read(cursor);
            line.span = cursor.span_from(begin);
            parse_end(cursor);
            line.comments.before = std::exchange(above, {});
            cursor.comments_of_statement(begin, line.comments);
            lines.push_back(std::move(line));
        } catch (const SyntaxError&) {
            cursor.recover(mark);
        }
    }
    cursor.add_comments_above(above, lines.empty());
    while (!above.empty() && above.back().empty()) above.pop_back();
    return above;
}

/// `parse_lines` with the braces around it and their comments, for a Block, Dataset or Train.
template <typename Body, typename Line, typename Read>
void parse_braces(Cursor& cursor, Body& body, std::vector<Line>& lines, const Read& read) {
    Cursor::Level level(cursor);
    Token brace = cursor.open(TokenKind::left_brace, "`{`");
    body.comment = cursor.comment_beside_brace();
    body.last_comments = parse_lines(cursor, lines, read);
    cursor.close(brace, "`}`");
    body.one_line = cursor.on_one_line(brace.begin, cursor.span_from(brace.begin).end);
}

} // namespace gradc
