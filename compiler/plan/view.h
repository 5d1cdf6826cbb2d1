// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an element of a node is in terms of elements of its inputs: moves and lookups as one view, reductions and
// contractions as views under a sum. Both the planner (which kernel reads what, where) and lowering (loads) rest on it.
#pragma once
#include "compiler/plan/index.h"

namespace gradc {

/// Holds where `index` lies in [0, size).
struct Guard {
    Index index;
    int64_t size;
};

/// Element `at` of `node`, or `otherwise` where a guard fails (then `at` may lie outside).
struct View {
    NodeId node;
    Position at;
    std::vector<Guard> guards = {};
    double otherwise = 0;
};

/// True for ops whose elements are elements of their first input: moves (but fold) and gather.
bool is_view(const Graph&, NodeId);
View view(const Graph&, NodeId, const Position& at, Indices&);

/// True for scatter with few (product at most 4) lookups a table row: cheap as a sum of guarded views.
bool is_sparse_sum(const Graph&, NodeId);

/// Ops that sum (or take the largest of) products of views over `reduced`.
struct Reduction {
    bool largest = false;
    Shape sizes;               // of the reduced axes
    std::vector<View> factors; // one, or two to be multiplied
};
bool is_reduction(const Graph&, NodeId); // sum, max_of, contract, fold, and scatter if it is a sparse sum
Shape reduced_sizes(const Graph&, NodeId);
Reduction reduction(const Graph&, NodeId, const Position& at, const Position& reduced, Indices&);

/// The whole number that a node holds as an index, if it is made of counters and constants; else a looked-up symbol.
Index index_of(const Graph&, NodeId, const Position& at, int64_t size, Indices&);

/// Strides in elements of C order, N counted as `batch`.
std::vector<int64_t> dense_strides(const Shape&, int64_t batch);
/// Fresh axes for a shape.
Position fresh_axes(const Shape&, Indices&);

} // namespace gradc
