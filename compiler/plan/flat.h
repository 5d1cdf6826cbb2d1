// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program as one graph. The bodies of its scans are copied into it, so that values that do not change between
// iterations lie outside of the loop. A region is the inside of a loop; a carry is a leaf that each iteration reads and
// sets.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// A value that one iteration passes to the next.
struct Carry {
    NodeId inside;  // leaf: value at the start of an iteration
    NodeId initial; // node of the parent region
    NodeId next;    // value at the end of an iteration
    NodeId after;   // leaf of the parent region: value after the last iteration
};
/// A value of each iteration that the loop stacks along a new axis.
struct Yield {
    NodeId value;
    NodeId stacked; // leaf of the parent region, with the axis of iterations
};
/// The inside of a loop, or the program itself (number 0).
struct Region {
    int parent = -1;
    int depth = 0; // number of enclosing loops: 0 is the program itself
    int64_t iterations = 1;
    bool reverse = false;
    std::vector<Carry> carries = {};
    std::vector<Yield> yields = {};
};

/// A program without nested graphs.
struct Flat {
    Graph graph;
    std::vector<Region> regions; // 0: the program
    std::vector<int> region_of;  // by node: the innermost loop that changes it
    std::vector<bool> wanted;    // by node: must be stored
    std::vector<Output> outputs; // named results
    std::vector<Output> assigns; // (path of the variable, new value)
};

/// `batch`: the largest number of rows; it decides which operands of products count as contiguous.
Flat flatten(const Graph& graph, int64_t batch);

/// The depth of the loop that an iteration leaf of a flat graph counts.
int iteration_depth(const Input& iteration);

} // namespace gradc
