// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the library holds, read from its own text: each function of dsl/std with the comment above
// it, cut at the words "Source:", "Kinks:" and "Domain:". Whatever is added there appears here, and
// asks for a proof and a line of its README.
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
