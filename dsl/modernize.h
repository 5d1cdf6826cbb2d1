// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model file with current names: old names of calls and named arguments are replaced by dsl/std/renamed.txt. Names
// that the file or its imports declare are left alone.
#pragma once
#include "dsl/ast.h"
#include <set>

namespace gradc {

/// The text of the module's source with old names replaced. `declared`: names of the user's own functions.
std::string modernized(const ast::Module& module, const Sources& sources, const std::set<std::string>& declared);
/// The functions that a file declares.
std::set<std::string> declared_functions(const ast::Module& module);

} // namespace gradc
