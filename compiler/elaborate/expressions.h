// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cases behind Elaborator::evaluate and Elaborator::call, without their guards. Only those two call them.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// The value of one expression; poisoned after an error.
Term elaborate_expression(Elaborator&, const ast::Expr&, Scope&);
/// Binds the arguments, matches their types and elaborates the body of a function or model in a frame of its own.
Term elaborate_call(Elaborator&, const FunctionEntry&, std::vector<NamedTerm>, Span, Scope& caller);

} // namespace gradc
