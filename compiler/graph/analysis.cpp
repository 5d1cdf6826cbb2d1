// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each function builds Boost's form of the graph once and runs one of Boost's algorithms on it.
#include "compiler/graph/analysis.h"
#include "compiler/graph/boost.h"
#include "compiler/graph/rewrite.h"
#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/topological_sort.hpp>

namespace gradc {

ReaderGraph reader_graph(const Graph& graph, const std::vector<NodeId>& roots) {
    std::vector<std::pair<uint32_t, uint32_t>> edges;
    for (NodeId id : reachable(graph, roots))
        for (NodeId input : graph[id].inputs) edges.emplace_back(index(input), index(id));
    for (NodeId root : roots) edges.emplace_back(index(root), uint32_t(graph.size()));
    return ReaderGraph(boost::edges_are_unsorted_multi_pass, edges.begin(), edges.end(), uint32_t(graph.size() + 1));
}

std::vector<NodeId> topological_order(const Graph& graph, const std::vector<NodeId>& roots) {
    ReaderGraph view = reader_graph(graph, roots);
    std::vector<uint32_t> order; // readers first
    boost::topological_sort(view, std::back_inserter(order));
    auto reached = reachable(graph, roots);
    std::vector<NodeId> result;
    for (auto vertex = order.rbegin(); vertex != order.rend(); ++vertex)
        if (std::binary_search(reached.begin(), reached.end(), NodeId(*vertex))) result.push_back(NodeId(*vertex));
    return result;
}

std::vector<bool> readers_of(const Graph& graph, NodeId from, const std::vector<NodeId>& roots) {
    ReaderGraph view = reader_graph(graph, roots);
    std::vector<boost::default_color_type> colors(graph.size() + 1, boost::white_color);
    auto color = boost::make_iterator_property_map(colors.begin(), get(boost::vertex_index, view));
    boost::breadth_first_search(view, index(from), boost::color_map(color));
    std::vector<bool> result(graph.size());
    for (size_t i = 0; i < graph.size(); ++i) result[i] = colors[i] != boost::white_color;
    return result;
}

} // namespace gradc
