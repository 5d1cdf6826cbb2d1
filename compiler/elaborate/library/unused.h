// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks of functions that no train block reaches: names and calls in every function of the user's files, and whole
// functions if the types of their parameters are written in full.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// An input for each parameter without a default, in the root graph of `elaborator`. Nothing if a type is not written
/// in full.
std::optional<std::vector<NamedTerm>> inputs_for(Elaborator& elaborator, const ast::Function& function, Scope& scope);

/// Reports the errors of functions that nothing has called, and unknown names and malformed calls in all functions.
/// Removes the variables that it makes.
void check_functions(Definitions& definitions);

/// Checks the names and calls of one function without types: each name must be known, and each call must give the
/// required arguments.
void check_names(Elaborator& elaborator, const FunctionEntry& function);

} // namespace gradc
