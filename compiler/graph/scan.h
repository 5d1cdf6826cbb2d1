// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Inputs of loop bodies, the saved carries that derivatives read, and pruning of scans.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Input nodes of a body by number; NodeId::none where the body does not read one. The vectors end at the last that it
/// reads.
struct ScanInputs {
    std::vector<NodeId> carries, captures;
    NodeId iteration = NodeId::none;
};
ScanInputs scan_inputs(const Graph& body);

/// Adds an input to a body, or finds the equal one; `type` is that of one iteration.
NodeId carry_input(Graph& body, size_t number, Type type);
NodeId capture_input(Graph& body, size_t number, Type type);
/// The number of the iteration: i32 in [0, iterations).
NodeId iteration_input(Graph& body, int64_t iterations);

/// The part with the value of carry `number` before each iteration, stacked by iteration. Scans of build::scan have it;
/// for a scan without it, a new scan that has it is added.
NodeId saved_carry(Graph&, NodeId scan, int number);

/// A graph with the same outputs whose scans, nested ones too, have only the yields, carries and captures that are
/// read.
Graph prune_scans(const Graph&);

} // namespace gradc
