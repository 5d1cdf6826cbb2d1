// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cheapest order of an einsum with many operands: which two are contracted first, which labels are kept, and the
// cost in multiply-adds. Exact for up to ten operands, by dynamic programming over subsets. Beyond that, greedy: the
// cheapest pair first.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace gradc {

using Labels = std::vector<int>; // one per axis

struct LabelSizes {
    std::map<int, int64_t> of; // the size of N is the batch
    Labels rows;               // labels whose axis is N: first, and once, in intermediate results
};

struct ProductStep { // operands have the numbers from 0, results of steps follow
    size_t left = 0, right = 0;
    Labels out;
};
struct ProductOrder {
    std::vector<ProductStep> steps;
    double cost = 0; // multiply-adds; infinite if there is no order
};

/// Multiply-adds of one contraction: the product of the sizes of all labels.
double contraction_cost(const Labels& left, const Labels& right, const LabelSizes&);

/// Contracts `operands` (at least two) to `out`. Every label must be in `out` or in at least two operands.
ProductOrder cheapest_order(const std::vector<Labels>& operands, const Labels& out, const LabelSizes&);

} // namespace gradc
