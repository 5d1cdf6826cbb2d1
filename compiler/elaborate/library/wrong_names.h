// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Errors of unknown names of functions, arguments and values. Each shows the current name of an old or foreign one
// (dsl/other_names.h), else the nearest name, and lists the known ones.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// `callee` has parameters `known`, and none called `name`.
void report_unknown_argument(Elaborator&, const std::string& callee, const std::string& name, Span,
                             const std::vector<std::string>& known);
/// No function, or with `kind` no function of that kind, is called `name` in this module.
void report_unknown_function(Elaborator&, const std::string& name, Span, uint32_t module);
void report_unknown_optimizer(Elaborator&, const std::string& name, Span, uint32_t module);
/// "did you mean `w`? parameters are w, b": the nearest known name, and the first of all known names.
std::string repair_among(const std::string& name, const std::vector<std::string>& known, const std::string& kind);
/// The repair for a value's name: the meaning of a foreign word, or the nearest of `known`; may be "".
std::string repair_of_value(const std::string& name, const std::vector<std::string>& known);

} // namespace gradc
