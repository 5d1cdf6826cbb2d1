// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copying with changes: the base of every pass. Spans, origins and names are copied with their nodes.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Ids of the nodes that `roots` reach, ascending.
std::vector<NodeId> reachable(const Graph&, const std::vector<NodeId>& roots);

/// Adds to `target` node `id` of `source` with these inputs, which are ids of `target`. The type is kept, and a scan's
/// body is added too. Returns the id in `target`.
NodeId copy_node(const Graph& source, NodeId id, std::vector<NodeId> inputs, Graph& target);

/// Called by `rebuild` for each node `old`, in the order of ids, with the ids of its inputs in `target`. Returns the
/// node of `target` that replaces it; NodeId::none: a copy does.
using Change = std::function<NodeId(Graph& target, NodeId old, const std::vector<NodeId>& inputs)>;
/// A new graph with the same outputs, made of the nodes that they reach. An empty `change` copies them all.
Graph rebuild(const Graph&, const Change& change);

/// Applies `pass` to every loop body, the innermost first, and then to the graph itself. A pass may drop inputs of a
/// body but must keep the number and the types of its outputs.
Graph rewrite_everywhere(const Graph&, const std::function<Graph(const Graph&)>& pass);

/// Within one graph: the roots with each node of `replaced` replaced below them. Adds the nodes that change; the old
/// ones stay.
std::vector<NodeId> substitute(Graph&, const std::vector<NodeId>& roots,
                               const std::unordered_map<NodeId, NodeId>& replaced);

/// A new graph with these outputs, made of the nodes that they reach; their ids are those of the given graph.
Graph extract(const Graph&, std::vector<Output> outputs);

/// Copies the nodes that `roots` of `source` reach into `target` and returns the roots there. A node of `bound`, most
/// often an input, becomes the given node of `target`; nodes that only bound nodes read are not copied.
std::vector<NodeId> inline_graph(const Graph& source, const std::vector<NodeId>& roots, Graph& target,
                                 const std::unordered_map<NodeId, NodeId>& bound);

} // namespace gradc
