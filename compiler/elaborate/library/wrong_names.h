// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Errors of names that nothing has: a function's, an argument's, a value's. Each says the name of today
// or the one that is meant here (dsl/other_names.h), else the nearest one, and lists what there is.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// `callee` has parameters `known`, and none called `name`.
void report_unknown_argument(Elaborator&, const std::string& callee, const std::string& name, Span,
                             const std::vector<std::string>& known);
/// No function, or with `kind` no function of that kind, is called `name` in this module.
void report_unknown_function(Elaborator&, const std::string& name, Span, uint32_t module);
void report_unknown_optimizer(Elaborator&, const std::string& name, Span, uint32_t module);
/// "did you mean `w`? parameters are w, b": the nearest of those there are, and the first of them all.
std::string repair_among(const std::string& name, const std::vector<std::string>& known, const std::string& kind);
/// The repair for a value's name: of another program's word, or the nearest of `known`; may be "".
std::string repair_of_value(const std::string& name, const std::vector<std::string>& known);

} // namespace gradc
