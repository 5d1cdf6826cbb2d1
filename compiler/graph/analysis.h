// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Order and dependences of a graph, by Boost.Graph's algorithms.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// The nodes that `roots` reach, each after its inputs, in the order of Boost's topological sort.
std::vector<NodeId> topological_order(const Graph&, const std::vector<NodeId>& roots);

/// By node number: true if the node's value depends on `from`, `from` itself included. Only nodes that `roots` reach
/// are looked at; the others are false.
std::vector<bool> readers_of(const Graph&, NodeId from, const std::vector<NodeId>& roots);

} // namespace gradc
