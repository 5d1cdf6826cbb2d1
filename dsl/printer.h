// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The two forms of each part of a tree: flat (on one line) and laid out (blocks opened, long brackets broken). A
// statement is flat if all its blocks were written on one line without comments, and the line fits; otherwise all of
// its blocks are opened. The text depends on the tree and these marks alone, never on source positions.
#pragma once
#include "dsl/ast.h"

namespace gradc {

inline constexpr size_t line_width = 100; // characters
inline constexpr size_t indentation = 4;

/// The place of a text in columns: its first line begins at `column`, further lines at `indent`, and `trailing`
/// characters follow its last line.
struct Room {
    size_t indent = 0, column = 0, trailing = 0;
};

size_t width(std::string_view text); // in characters, of the last line
std::string spaces(size_t count);

/// True if it contains a block that must be opened: one written on several lines, or with comments.
bool must_open(const ast::Expr& expr);
bool must_open(const ast::Block& block);
bool must_open(const decltype(ast::Statement::node)& node);

/// One line of text. `tight`: directly inside [ ], where 3*heads has no spaces.
std::string flat(const ast::Expr& expr, bool tight = false);
std::string flat(const ast::TypeExpr& type);
std::string flat(const ast::Block& block);
std::string flat(const decltype(ast::Statement::node)& node);
std::string flat(const std::vector<ast::IndexBinder>& binders);
/// A bound: in brackets if its operators bind less strongly than sums.
std::string flat_bound(const ast::Expr& expr);

std::string lay_out(const ast::Expr& expr, Room room);
std::string lay_out(const ast::Block& block, size_t indent);
/// A statement without its comments: flat if it can be, else laid out.
std::string print_statement(const decltype(ast::Statement::node)& node, size_t indent);

/// `{` and its comment, `lines`, which end in line breaks, the last comments, and `}`.
std::string braces(const std::string& comment, const std::string& lines, const std::vector<std::string>& last,
                   size_t indent);
/// The comments above, the indented text, the comment beside it and a line break.
std::string with_comments(const ast::Comments& comments, const std::string& text, size_t indent, bool first);
std::string comment_lines(const std::vector<std::string>& comments, size_t indent, bool first);

} // namespace gradc
