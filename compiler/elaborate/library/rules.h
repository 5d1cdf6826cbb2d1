// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Algebraic identities (`rule`) as pattern graphs: both sides elaborated like any expression over
// scalar f32 wildcards.
#pragma once
#include "compiler/elaborate/definitions.h"
#include "compiler/graph/pattern.h"

namespace gradc {

/// The rules of all loaded files, the library's first. Reports those that make no sense.
std::vector<PatternRule> pattern_rules(std::shared_ptr<Definitions> definitions);

} // namespace gradc
