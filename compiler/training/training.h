// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data sets and train blocks of the user's file: from their settings and formulas to step,
// evaluation and prediction graphs. Each block is elaborated in training mode (loss, metrics,
// gradients, optimizer), in evaluation mode and, with a `predict` line, a third time.
#pragma once
#include "compiler/elaborate/definitions.h"

namespace gradc {

/// Fills datasets, columns, statistics and blocks of `result`; parameters and states that the
/// blocks make are added to `definitions`. To be called after Definitions::load; variables and
/// `initial` are taken over afterwards.
void elaborate_blocks(Definitions& definitions, TrainingJob& result);

} // namespace gradc
