// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What loop bodies are made of, and pruning: a scan keeps only the yields, carries and captures
// that something reads.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Input nodes of a body by number; NodeId::none where it does not read one.
struct ScanInputs {
    std::vector<NodeId> carries, captures;
    NodeId iteration = NodeId::none;
};
ScanInputs scan_inputs(const Graph& body);

NodeId carry_input(Graph& body, size_t number, Type type);
NodeId capture_input(Graph& body, size_t number, Type type);
NodeId iteration_input(Graph& body, int64_t iterations); // i32 in [0, turns)

/// The part that holds carry `number` as it was before each turn, stacked by turn. build::scan
/// saves them; for a scan that does not, a new one that does is added.
NodeId saved_carry(Graph&, NodeId scan, int number);

/// The same outputs, with every scan reduced to what is read of it (nested ones as well).
Graph prune_scans(const Graph&);

} // namespace gradc
