// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What no train block reaches is checked as well: the names and calls in every function of the
// user's files, and whole functions whose parameters' types are written in full.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// An input of the batch for each parameter whose type is written in full, in the graph of
/// `elaborator`; nothing where one is not.
std::optional<std::vector<NamedTerm>> inputs_for(Elaborator& elaborator, const ast::Function& function, Scope& scope);

/// Reports what is wrong in functions that nothing called so far, and unknown names and malformed
/// calls in all of them. Leaves no variables behind.
void check_functions(Definitions& definitions);

/// Names and calls of one function, without types: each is known where it stands, and each call
/// gives its callee what that needs.
void check_names(Elaborator& elaborator, const FunctionEntry& function);

} // namespace gradc
