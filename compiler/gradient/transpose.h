// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The transposed pairs: for an op that is linear in an input, the op that carries the gradient of the result back to
// that input. sum/broadcast, permute/permute, reshape/reshape, slice/pad, window/fold, gather/scatter,
// contract/contract.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// The gradient of input `position` of `node`, of the type of that input, given the gradient of its result. `node` is a
/// cast or of kind reduce, move, index or contract; any other throws InternalError. The gradient of max_of is shared in
/// equal parts by the largest elements.
NodeId transposed(Graph&, NodeId node, int position, NodeId gradient);

} // namespace gradc
