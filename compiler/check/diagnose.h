// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a NaN came from: a program that counts, for each value of the model in order
// of evaluation, the elements that are not finite. The trainer runs it once on the
// rows of the step that went wrong and names the first model line with a count.
#pragma once
#include "compiler/spec/training.h"

namespace gradc {

/// Outputs are f64 scalars named "digits.grad:12:9: exp(z)", one for each
/// floating value that `root` is made of and whose place in the model is known.
Graph diagnose(const Graph& forward, NodeId root, const Sources& sources);

} // namespace gradc
