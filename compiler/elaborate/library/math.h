// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// dsl/std/math.grad as scalar graphs: what each declared primitive of the machine is made of. The
// functions there are scalar formulas over the machine's own primitives, so a small elaborator of
// their own suffices: every name is a scalar, a literal with a point takes the function's element,
// one without is whole and of the same width.
#pragma once
#include "compiler/graph/math_library.h"
#include "dsl/ast.h"

namespace gradc {

/// Elaborates every function of `module` whose name ends in _f32 or _f64 and names a primitive of
/// `table`. A mistake in that file is the library's, hence an InternalError that names the
/// function.
std::shared_ptr<const MathLibrary> make_math_library(const ast::Module& module, std::shared_ptr<PrimitiveTable> table);

} // namespace gradc
