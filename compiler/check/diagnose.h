// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a NaN came from: a program that counts the elements that are not finite, for each value of the model in order
// of evaluation. The trainer runs it once, on the rows of the step whose loss was not finite, and reports the first
// line of the model with a count above 0.
#pragma once
#include "compiler/spec/training.h"

namespace gradc {

/// A new graph. Its outputs are f64 scalars named "digits.grad:12:9: exp(z)": one for each floating value that `root`
/// depends on, if its place in the model is known.
Graph diagnose(const Graph& forward, NodeId root, const Sources& sources);

} // namespace gradc
