// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The canonical form of a model file (`gradc fmt`): four spaces per level, one statement per line unless a block fits
// on the line of its head, all comments kept. print(parse(print(m))) == print(m).
#pragma once
#include "dsl/ast.h"

namespace gradc {

/// The text of a file, which ends in a newline; expressions and types on one line.
std::string print(const ast::Module& module);
std::string print(const ast::Expr& expression);
std::string print(const ast::TypeExpr& type);

} // namespace gradc
