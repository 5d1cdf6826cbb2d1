// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Accesses and formulas with indices, as terms. Each gives a poisoned term after an error.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// object[items], inside a definition by index or outside.
Term elaborate_access(Elaborator& elaborator, const ast::Expr& expression, const ast::Index& access, Scope& scope);
/// sum[i, j](..) and the other reductions over indices.
Term elaborate_indexed_call(Elaborator& elaborator, const ast::Expr& expression, const ast::Call& call, Scope& scope);
/// y[n, t < T] = e: a tensor with one axis for each index, in the order of the left side.
Term elaborate_definition(Elaborator& elaborator, const ast::IndexDefinition& definition, Span span, Scope& scope);

/// `size` entries of a value along `axis` of its own axes: start, start + step, .. All of them must exist.
NodeTerm sliced(Elaborator& elaborator, const NodeTerm& value, int axis, int64_t start, int64_t step, int64_t size,
                Span span);

} // namespace gradc
