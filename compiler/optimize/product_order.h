// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cheapest order to multiply several tensors whose axes carry labels (an einsum of many
// operands): which two are contracted first, what of their labels is kept, what it costs in
// multiply-adds. Exact for up to ten operands by dynamic programming over subsets; beyond, the
// cheapest pair is joined first.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace gradc {

using Labels = std::vector<int>; // one an axis

struct LabelSizes {
    std::map<int, int64_t> of; // N counts as the batch
    Labels rows;               // labels whose axis is N: it stands first, and once, in what lies between
};

struct ProductStep { // operands are numbered from 0, results of steps go on from there
    size_t left = 0, right = 0;
    Labels out;
};
struct ProductOrder {
    std::vector<ProductStep> steps;
    double cost = 0; // multiply-adds; infinite where there is no order
};

/// Multiply-adds of one contraction: the product of the sizes of all labels.
double contraction_cost(const Labels& left, const Labels& right, const LabelSizes&);

/// `operands` (at least two) into `out`. Every label stands in `out` or in at least two operands.
ProductOrder cheapest_order(const std::vector<Labels>& operands, const Labels& out, const LabelSizes&);

} // namespace gradc
