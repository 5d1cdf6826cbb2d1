// Where a gradient is zero because `select` took the other side. The side not taken must add
// nothing, be it NaN, but zero times infinity is NaN: so each derivative behind a select is masked
// again by its condition. A mask follows the gradient through moves and sums; its nodes are built
// only when a derivative needs it.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

struct Mask;
using MaskPointer = std::shared_ptr<Mask>; // null: no mask

/// The gradient is zero where `condition` differs from `taken`.
MaskPointer select_mask(NodeId condition, bool taken);
/// Zero where either says so; either may be null.
MaskPointer both_masks(MaskPointer a, MaskPointer b);
/// The mask of transposed(node, gradient) where `inner` is that of the gradient; null where it
/// cannot be followed.
MaskPointer moved_mask(const Graph&, NodeId node, MaskPointer inner);
/// The mask of a sum of two gradients: only a common one holds.
MaskPointer common_mask(const MaskPointer& a, const MaskPointer& b);

/// `derivative`, zero where the mask says so; unchanged if it is made of `gradient` in ways that
/// keep zeros.
NodeId masked(Graph&, NodeId derivative, NodeId gradient, const MaskPointer& mask);

} // namespace gradc
