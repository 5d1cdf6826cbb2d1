// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model file with the names of today: calls and their named arguments by dsl/std/renamed.txt. What the file or one
// that it uses declares itself is left alone.
#pragma once
#include "dsl/ast.h"
#include <set>

namespace gradc {

/// The text of the module's source with its old names replaced; `declared`: functions of the user's own.
std::string modernized(const ast::Module& module, const Sources& sources, const std::set<std::string>& declared);
/// The functions that a file declares.
std::set<std::string> declared_functions(const ast::Module& module);

} // namespace gradc
