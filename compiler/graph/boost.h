// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The graph in the form that Boost.Graph's algorithms take. No other file includes Boost.Graph; include this header in
// .cpp files only, since it is slow to compile.
#pragma once
#include "compiler/graph/graph.h"
#include <boost/graph/compressed_sparse_row_graph.hpp>

namespace gradc {

using ReaderGraph = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                                       boost::no_property, uint32_t, uint32_t>;

/// Vertices are node ids; an edge leads from each input to each reader, among the nodes that `roots` reach. One more
/// vertex, graph.size(), reads every root. The result holds no reference to `graph`.
ReaderGraph reader_graph(const Graph& graph, const std::vector<NodeId>& roots);

} // namespace gradc
