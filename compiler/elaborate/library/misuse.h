// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Warnings of values that a function is likely not meant for, such as a softmax given to
// cross_entropy. Which ones is data: the lines `misuse` of dsl/std/foreign.txt. A value counts as
// made by a function where it is its result, also seen through reshapes, slices and casts.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// Remembers what `function` made, if some line asks for it.
void note_maker(Elaborator&, const FunctionEntry& function, const Term& result);
/// Warns where an argument of this call of the library, by a user's file, was made by the wrong one.
void check_misuse(Elaborator&, const FunctionEntry& function, const Scope& arguments, const std::vector<Span>& spans,
                  const Scope& caller);

} // namespace gradc
