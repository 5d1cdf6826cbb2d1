// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Warnings of arguments that are likely wrong, such as a softmax given to cross_entropy. The lines `misuse` of
// dsl/std/foreign.txt list them. A value counts as made by a function if it is its result, also after reshapes, slices
// and casts.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// Remembers the result of `function`, if a line of the table watches it.
void note_maker(Elaborator&, const FunctionEntry& function, const Term& result);
/// Warns if a user's file calls a library function with an argument that the table lists. `spans` are those of the
/// arguments.
void check_misuse(Elaborator&, const FunctionEntry& function, const Scope& arguments, const std::vector<Span>& spans,
                  const Scope& caller);

} // namespace gradc
