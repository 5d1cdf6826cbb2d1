// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops at run time.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// A `scan` of T iterations: what each iteration yields, stacked on a new axis T, behind a leading N. Several yields
/// give a tuple. Poisoned after an error.
Term elaborate_scan(Elaborator& elaborator, const ast::Expr& expression, const ast::Scan& scan, Scope& scope);

} // namespace gradc
