// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arguments at which functions are tested: special numbers (0, +-100, infinities, NaN, kinks) and random floats.
// And the error of a compiled number.
#pragma once
#include "compiler/graph/graph.h"
#include "tests/library/formulas.h"
#include <random>

namespace gradc::library {

std::vector<double> special_numbers(Points);

class Drawn {
public:
    explicit Drawn(uint64_t seed) : random_(seed) {}
    double number(Points);
    int below(int bound) { return int(random_() % uint64_t(bound)); }

private:
    std::mt19937_64 random_;
};

/// |found - wanted| / scale. 0 where both are NaN, the same infinity, or below the smallest normal
/// number; a wanted number beyond the largest float is infinite in f32. Infinite where one is NaN
/// and the other is not.
double compiled_error(double found, double wanted, double scale, bool single);

/// The input node of a field; none if the graph has no such field.
NodeId field(const Graph&, const std::string& name);

} // namespace gradc::library
