// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program as one graph: the bodies of its scans are copied into it, so that what does not change from turn to turn
// stands outside by itself. A region is the inside of a loop; carries are leaves that each turn reads and sets.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

struct Carry {
    NodeId inside;  // leaf: value at the start of a turn
    NodeId initial; // node of the parent region
    NodeId next;    // value at the end of a turn
    NodeId after;   // leaf of the parent region: value after the last turn
};
struct Yield {
    NodeId value;
    NodeId stacked; // leaf of the parent region, with the turn axis
};
struct Region {
    int parent = -1;
    int depth = 0; // number of loops around: 0 is the program itself
    int64_t iterations = 1;
    bool reverse = false;
    std::vector<Carry> carries = {};
    std::vector<Yield> yields = {};
};

struct Flat {
    Graph graph;
    std::vector<Region> regions; // 0: the program
    std::vector<int> region_of;  // by node: the innermost loop that changes it
    std::vector<bool> wanted;    // by node: to be stored, whatever else speaks for or against it
    std::vector<Output> outputs; // named results; assigns as (path, value)
    std::vector<Output> assigns;
};

/// `batch` serves to find out which operands of products lie contiguous.
Flat flatten(const Graph& graph, int64_t batch);

/// The loop depth that a turn leaf of a flat graph counts.
int iteration_depth(const Input& iteration);

} // namespace gradc
