// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Patterns of names of weights, in model files (`freeze`, `optimizer .. on`) and in the trainer's --only: a name, the
// beginning of a name before a dot, or `*` for any characters.
#pragma once
#include <string_view>

namespace gradc::runtime {

/// `encoder` matches encoder and encoder.linear_1.weight; `*.weight` and `encoder.*.bias` match from end to end.
bool matches(std::string_view pattern, std::string_view name);

/// Takes the first of the patterns of a list with commas between them.
std::string_view take_pattern(std::string_view& list);
/// True if a pattern of the list matches, or if it is empty.
bool any_matches(std::string_view list, std::string_view name);

} // namespace gradc::runtime
