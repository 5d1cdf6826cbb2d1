// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Questions about the order and the paths of a graph, answered by Boost.Graph's algorithms.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// The nodes that `roots` reach, inputs before readers, as Boost's topological sort finds them.
std::vector<NodeId> topological_order(const Graph&, const std::vector<NodeId>& roots);

/// All nodes whose value depends on `from` (itself included), among what `roots` reach.
std::vector<bool> readers_of(const Graph&, NodeId from, const std::vector<NodeId>& roots);

} // namespace gradc
