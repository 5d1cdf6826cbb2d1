// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The canonical form of a model file (`gradc fmt`): four spaces, one statement a line unless a whole block fits beside
// its head, every comment kept. print(parse(print(m))) == print(m).
#pragma once
#include "dsl/ast.h"

namespace gradc {

std::string print(const ast::Module& module);
std::string print(const ast::Expr& expression);
std::string print(const ast::TypeExpr& type);

} // namespace gradc
