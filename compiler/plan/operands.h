// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products want one operand contiguous along an axis of the result. Where none is, a transposed copy is asked for.
#pragma once
#include "compiler/plan/view.h"

namespace gradc {

/// Products below this many multiplications are loops like any other, so that tiny models become one kernel.
inline constexpr double smallest_product = 4096;

/// Elements from one element of `node` to the next along `axis`, looking through views down to what is stored in C
/// order, `members` (by node) included; nullopt where that is no constant.
std::optional<int64_t> stride_along(const Graph&, NodeId node, int axis, int64_t batch,
                                    const std::vector<bool>* members = nullptr);

/// Changes inputs and labels of a contraction so that a vector can run along the last axis of its result. Returns a new
/// node that has to be stored (the copy), or none.
NodeId arrange_operands(Graph&, std::vector<NodeId>& inputs, Contract& labels, const Type& result, int64_t batch);

} // namespace gradc
