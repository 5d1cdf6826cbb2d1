// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The graph as Boost.Graph sees it, for analyses that are known algorithms: vertices are node ids,
// an edge leads from a node to each reader. Boost.Graph is included nowhere else; this header only
// in .cpp files.
#pragma once
#include "compiler/graph/graph.h"
#include <boost/graph/compressed_sparse_row_graph.hpp>

namespace gradc {

using ReaderGraph = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                                       boost::no_property, uint32_t, uint32_t>;

/// Edges input -> reader among the nodes that `roots` reach; vertex graph.size() is an exit that
/// reads every root.
ReaderGraph reader_graph(const Graph& graph, const std::vector<NodeId>& roots);

} // namespace gradc
