// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The functions of the library, read from its own text: each with the comment above it, cut at the words "Source:",
// "Kinks:" and "Domain:". A function that is added to dsl/std appears here, and needs a proof and a line of the table.
#pragma once
#include <string>
#include <vector>

namespace gradc::library {

struct Entry {
    std::string file;    // "activations"
    std::string name;    // "relu"
    std::string formula; // the comment before "Source:"
    std::string source, kinks, domain;
};

/// Of all files but math.grad and algebra.grad, in the order of a reader's interest.
std::vector<Entry> entries();

} // namespace gradc::library
