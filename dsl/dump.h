// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens and trees as text, one line per token or statement: `--emit=tokens`, `--emit=ast`. Two trees have the same
// structure exactly if their dumps are equal. Spans and line breaks of blocks are left out.
#pragma once
#include "dsl/ast.h"
#include "dsl/token.h"

namespace gradc {

/// The tree as nested lists.
std::string dump(const ast::Module& module);
std::string dump(const ast::Expr& expression);
/// `source` must have been cut into `tokens` by lex().
std::string dump(const Tokens& tokens, const Sources& sources, uint32_t source);

} // namespace gradc
