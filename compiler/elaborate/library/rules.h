// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Algebraic identities (`rule`) as pattern graphs. Both sides are elaborated like any expression, with f32 scalars as
// wildcards.
#pragma once
#include "compiler/elaborate/definitions.h"
#include "compiler/graph/pattern.h"

namespace gradc {

/// The rules of all loaded files, the library's first. Invalid rules are reported and left out.
std::vector<PatternRule> pattern_rules(std::shared_ptr<Definitions> definitions);

} // namespace gradc
