// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data sets and train blocks of the user's file: from their settings and formulas to step, evaluation and prediction
// graphs. Each block is elaborated for training (loss, metrics, gradients, optimizer), for evaluation and, with a
// `predict` line, for prediction.
#pragma once
#include "compiler/elaborate/definitions.h"

namespace gradc {

/// Fills datasets, columns, statistics and blocks of `result`. Parameters and states of the blocks are added to
/// `definitions`. Call it after Definitions::load. Errors are reported to definitions.diagnostics.
void elaborate_blocks(Definitions& definitions, TrainingJob& result);

} // namespace gradc
