// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The entries of the library, read from its own text: each function of dsl/std with the comment above it, cut at the words
// "Source:", "Kinks:", "Domain:" and "Recording:". Each function that is added there needs a proof and a line of the
// reference.
#pragma once
#include <string>
#include <vector>

namespace gradc::library {

struct Entry {
    std::string file;      // "activations"
    std::string name;      // "relu"
    std::string signature; // "linear(x: [.., I], units: const int) -> [.., units]"
    std::string formula;   // the comment before "Source:"
    std::string source, kinks, domain;
    std::string recording; // why no other system's numbers are recorded: none has the formula
};

/// Of all files but math.grad and algebra.grad, in the order of a reader's interest.
std::vector<Entry> entries();

} // namespace gradc::library
