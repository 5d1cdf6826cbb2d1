// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finite differences: the independent witness of every gradient. Central differences of the evaluator's double
// loss, for all entries of small parameters, for some drawn entries and two drawn directions of larger ones.
#pragma once
#include "compiler/check/sample.h"

namespace gradc {

struct DifferenceOptions {
    int64_t all_entries = 64; // parameters up to so many are checked entry by entry
    int drawn_entries = 16, drawn_directions = 2;
    uint64_t seed = 1;
};

struct DifferenceResult {
    double error = 0;                    // largest |symbolic - difference| over the largest entry of the gradient
    double largest = 0;                  // largest |difference| seen
    double declared = 0, difference = 0; // symbolic and numeric, where they differ most
};

/// Checks `gradient` of scalar output 0 of `loss` by the variable or field `path` at `environment`.
DifferenceResult compare_with_differences(const Graph& loss, const Environment& environment, const std::string& path,
                                          const Tensor& gradient, const DifferenceOptions&);

} // namespace gradc
