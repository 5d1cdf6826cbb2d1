// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of pass_table(), one file each.
#pragma once
#include "compiler/optimize/optimize.h"

namespace gradc {

/// Replaces every custom_gradient by its value. Runs after differentiation.
Graph remove_custom_gradients(const Graph&, const PassContext&);
/// Replaces elementwise ops, casts and moves of constants by constants.
Graph fold_constants(const Graph&, const PassContext&);
/// Applies the identities of algebra.grad and of the user's file until none matches.
Graph apply_identities(const Graph&, const PassContext&);
/// Folds permutes, broadcasts and unit axes into the labels of contractions and the axes of reductions.
Graph sink_moves(const Graph&, const PassContext&);
/// Computes products for all iterations of a scan at once, where the carries allow it.
Graph move_out_of_scans(const Graph&, const PassContext&);
/// Multiplies products of products, with biases between, in the order with the fewest multiply-adds.
Graph collapse_linear_maps(const Graph&, const PassContext&);

} // namespace gradc
