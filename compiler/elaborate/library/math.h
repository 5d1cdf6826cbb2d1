// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// dsl/std/math.grad as scalar graphs: the definition of each declared primitive. Its functions are scalar formulas over
// built-in primitives, so they need only a small elaborator: every name is a scalar, a literal with a decimal point has
// the function's dtype, and one without is an integer of the same width.
#pragma once
#include "compiler/graph/math_library.h"
#include "dsl/ast.h"

namespace gradc {

/// Elaborates every function of `module` whose name is a primitive of `table` followed by _f32 or _f64. Throws
/// InternalError with the name of the function if the file has an error.
std::shared_ptr<const MathLibrary> make_math_library(const ast::Module& module, std::shared_ptr<PrimitiveTable> table);

} // namespace gradc
