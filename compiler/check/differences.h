// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finite differences, the independent check of every gradient: central differences of the evaluator's loss in double.
// Small parameters are checked in all entries, larger ones in some random entries and two random directions.
#pragma once
#include "compiler/check/sample.h"

namespace gradc {

/// The entries and directions that are compared.
struct DifferenceOptions {
    int64_t all_entries = 64;                     // parameters with at most so many elements are checked in all of them
    int drawn_entries = 16, drawn_directions = 2; // of larger ones: random entries and directions of length 1
    uint64_t seed = 1;
};

/// How far a gradient is from difference quotients.
struct DifferenceResult {
    double error = 0;                    // largest |symbolic - difference|, relative to the largest |entry|
    double largest = 0;                  // largest |difference quotient|
    double declared = 0, difference = 0; // symbolic and numeric, where they differ most
};

/// Compares `gradient` with differences of output 0 of `loss`, a scalar. It is the gradient by the variable or field
/// `path` at `environment` and has its shape. A gradient below the rounding of differences has error 0.
DifferenceResult compare_with_differences(const Graph& loss, const Environment& environment, const std::string& path,
                                          const Tensor& gradient, const DifferenceOptions&);

} // namespace gradc
