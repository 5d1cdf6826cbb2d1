// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Symbolic gradients compared with central differences, both in double by the evaluator.
#pragma once
#include "compiler/gradient/gradient.h"
#include "compiler/graph/evaluate.h"

namespace gradc {

/// A weighted sum of all elements of y, with weights that differ from place to place and no two
/// derivatives alike.
NodeId weighed_sum(Graph&, NodeId y);

/// Largest difference between symbolic and numeric derivatives of the scalar `y` by the variable at
/// `path`, over the largest numeric entry (or 1 if that is smaller than `least`). `gradient` is the
/// node of the symbolic one.
double gradient_error(const Graph&, NodeId y, NodeId gradient, const std::string& path, const Environment&);

/// The worst error over the floating variables that y reads, of derivatives up to `order` (each
/// time of a weighted sum of the gradients of the order before).
double derivative_error(Graph graph, NodeId y, const DerivativeRules&, const Environment&, int order);

} // namespace gradc
