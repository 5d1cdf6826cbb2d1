// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copying with changes: the base of every pass. `rebuild` walks what the outputs reach in id order and calls `change`
// on each node with its new inputs; what it returns stands for the node in the result.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Ids of the nodes that `roots` reach, ascending.
std::vector<NodeId> reachable(const Graph&, const std::vector<NodeId>& roots);

/// Adds to `target` the node of `source` with other inputs (type kept); bodies are carried along.
NodeId copy_node(const Graph& source, NodeId id, std::vector<NodeId> inputs, Graph& target);

using Change = std::function<NodeId(Graph& target, NodeId old, const std::vector<NodeId>& inputs)>;
/// A new graph of the same outputs. `change` returns NodeId::none to keep the node as it is.
Graph rebuild(const Graph&, const Change& change);

/// `pass` applied inside every loop body, the innermost first, and then to the graph itself. A pass may drop what a
/// body reads, but keeps the number and types of its outputs.
Graph rewrite_everywhere(const Graph&, const std::function<Graph(const Graph&)>& pass);

/// Within one graph: what `roots` become when each node of `replaced` is replaced; new nodes are added.
std::vector<NodeId> substitute(Graph&, const std::vector<NodeId>& roots,
                               const std::unordered_map<NodeId, NodeId>& replaced);

/// A new graph with these outputs only.
Graph extract(const Graph&, std::vector<Output> outputs);

/// Copies what `roots` of `source` reach into `target`; inputs named in `bound` become the given nodes.
std::vector<NodeId> inline_graph(const Graph& source, const std::vector<NodeId>& roots, Graph& target,
                                 const std::unordered_map<NodeId, NodeId>& bound);

} // namespace gradc
