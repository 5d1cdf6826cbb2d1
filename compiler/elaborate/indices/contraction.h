// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions of labelled values. Every axis has a number: labels of definitions by index their
// own, the other axes of an `@` numbers from `plain_axis` on.
#pragma once
#include "compiler/elaborate/promotion.h"

namespace gradc {

inline constexpr int plain_axis = 1 << 20;

/// A value whose axes are all named by numbers.
struct NamedAxes {
    NodeId node = NodeId::none;
    std::vector<int> axes;
};

/// Sum over what is not in `out` of left * right. Axes of one side alone that are not in `out` are
/// summed first.
NodeId contracted(Elaborator&, NamedAxes left, NamedAxes right, const std::vector<int>& out, Span span);

/// A product of `factors`, all of one element, summed over all axes not in `out` (a subset of those
/// that stand); axes are summed as soon as no later factor has them.
NamedAxes product_sum(Elaborator&, std::vector<NamedAxes> factors, const std::vector<int>& out, Span span);

} // namespace gradc
