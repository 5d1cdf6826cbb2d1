// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions of labeled values. Every axis has a number: a label has its own, other axes of an `@` have numbers from
// `plain_axis` on.
#pragma once
#include "compiler/elaborate/promotion.h"

namespace gradc {

inline constexpr int plain_axis = 1 << 20;

/// A value with a number for each axis.
struct NamedAxes {
    NodeId node = NodeId::none;
    std::vector<int> axes;
};

/// left * right, summed over all axes that are not in `out`. Axes of only one side that are not in `out` are summed
/// first. Both sides have one dtype; the result has the axes `out`.
NodeId contracted(Elaborator&, NamedAxes left, NamedAxes right, const std::vector<int>& out, Span span);

/// A product of `factors` of one dtype, summed over all axes that are not in `out`, a subset of their axes. An axis is
/// summed as soon as no later factor has it.
NamedAxes product_sum(Elaborator&, std::vector<NamedAxes> factors, const std::vector<int>& out, Span span);

} // namespace gradc
