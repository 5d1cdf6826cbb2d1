// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An element of a node in terms of elements of its inputs: one view for moves and lookups, views under a sum for
// reductions and contractions. The planner uses it to find what kernels read; lowering uses it to emit loads.
#pragma once
#include "compiler/plan/index.h"

namespace gradc {

/// True if `index` lies in [0, size).
struct Guard {
    Index index;
    int64_t size;
};

/// Element `at` of `node`, or `otherwise` if a guard fails (then `at` may be out of range).
struct View {
    NodeId node;
    Position at;
    std::vector<Guard> guards = {};
    double otherwise = 0;
};

/// True for ops whose elements are elements of their first input: moves (except fold) and gather.
bool is_view(const Graph&, NodeId);
/// Element `at` of the node as an element of its first input. The op must satisfy is_view.
View view(const Graph&, NodeId, const Position& at, Indices&);

/// True for a scatter with few lookups per table row (at most 4): cheap as a sum of guarded views.
bool is_sparse_sum(const Graph&, NodeId);

/// The sum, or the maximum, over the reduced axes of a product of views.
struct Reduction {
    bool largest = false;
    Shape sizes;               // of the reduced axes
    std::vector<View> factors; // one, or two that are multiplied
};
bool is_reduction(const Graph&, NodeId); // sum, max_of, contract, fold, and scatter if it is a sparse sum
/// The sizes of the axes that a reduction sums over.
Shape reduced_sizes(const Graph&, NodeId);
/// Element `at` of a reduction, where `reduced` is the position along the reduced axes.
Reduction reduction(const Graph&, NodeId, const Position& at, const Position& reduced, Indices&);

/// The integer value of a node as an index: affine if it consists of counters and constants, else a looked-up symbol.
Index index_of(const Graph&, NodeId, const Position& at, int64_t size, Indices&);

/// Strides in elements, in C order. The size of N is `batch`.
std::vector<int64_t> dense_strides(const Shape&, int64_t batch);
/// New axis symbols for a shape.
Position fresh_axes(const Shape&, Indices&);

} // namespace gradc
