// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Patterns of names of weights, in model files (`freeze`, `optimizer .. on`) and in the trainer's --only: a name, the
// beginning of a name before a dot, or `*` for any characters.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

/// `encoder` matches encoder and encoder.linear_1.weight; `*.weight` and `encoder.*.bias` match from end to end.
bool matches(std::string_view pattern, std::string_view name);

/// Patterns with commas between them; none match every name.
struct Patterns {
    std::vector<std::string> all;
    explicit Patterns(std::string_view list = "");
    bool match(std::string_view name) const;
};

} // namespace gradc::runtime
