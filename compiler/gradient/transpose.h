// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The transposed pairs: for an op that is linear in an input, the op that carries a gradient of the
// result back to it. sum/broadcast, permute/permute, reshape/reshape, slice/pad, window/fold,
// gather/scatter, contract/contract.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// What input `position` of `node` (of kind reduce, move, index or contract, or a cast) receives.
NodeId transposed(Graph&, NodeId node, int position, NodeId gradient);

} // namespace gradc
