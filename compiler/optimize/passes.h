// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of pass_table(), one file each.
#pragma once
#include "compiler/optimize/optimize.h"

namespace gradc {

/// Replaces every custom_gradient by its value. Gradients must have been derived before.
Graph remove_custom_gradients(const Graph&, const PassContext&);
/// Maps, casts and moves of one-valued constants become constants.
Graph fold_constants(const Graph&, const PassContext&);
/// Applies the identities of algebra.grad and the user's file until none fits.
Graph apply_identities(const Graph&, const PassContext&);
/// Permutes, broadcasts and unit axes vanish into the labels of contractions and the axes of reductions.
Graph sink_moves(const Graph&, const PassContext&);
/// Products of products, with biases added between, are multiplied in the order that needs the fewest multiply-adds.
Graph collapse_linear_maps(const Graph&, const PassContext&);

} // namespace gradc
