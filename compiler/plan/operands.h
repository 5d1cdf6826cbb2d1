// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products need one operand that is contiguous along the last axis of the result. If none is, a transposed copy is
// added.
#pragma once
#include "compiler/plan/view.h"

namespace gradc {

/// Products with fewer multiplications are lowered as ordinary loops, so that tiny models become one kernel.
inline constexpr double smallest_product = 4096;

/// Stride in elements of `node` along `axis`, through views down to a value that is stored in C order: a leaf, or a
/// node of `members` (by node). nullopt if the stride is not constant.
std::optional<int64_t> stride_along(const Graph&, NodeId node, int axis, int64_t batch,
                                    const std::vector<bool>* members = nullptr);

/// Changes inputs and labels of a contraction so that vectors can run along the last axis of its result. Returns the
/// node of a transposed copy, which must be stored, or NodeId::none.
NodeId arrange_operands(Graph&, std::vector<NodeId>& inputs, Contract& labels, const Type& result, int64_t batch);

} // namespace gradc
