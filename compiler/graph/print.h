// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The graph as text, one node a line, and back:
//     graph 1
//     %0 = input field "image" : f32[N, 64]
//     %3 = elementwise add %1 %2 : f32[N, 10]  # logits
//     output loss = %9
// The number after `graph` is that of the format; parse_graph refuses any other. Printing, parsing and printing again
// gives the same text.
#pragma once
#include "compiler/graph/graph.h"
#include "dsl/diagnostic.h"
#include <map>
#include <optional>

namespace gradc {

/// The nodes that the outputs reach, numbered from 0; all nodes if there are no outputs.
std::string print(const Graph&);
/// The same text for all graphs that compute the same bits in the same order: without names of values, and with
/// numbers for the names of variables, fields and results, in order of appearance. `numbers` has those of earlier graphs by name.
std::string print_unnamed(const Graph&, std::map<std::string, size_t>& numbers);
/// Never throws: if the text is no valid graph, sets `error` ("line 3: ..") and returns nullopt.
std::optional<Graph> parse_graph(const std::string& text, std::shared_ptr<PrimitiveTable>, std::string& error);
/// The same nodes as a drawing for Graphviz.
std::string print_dot(const Graph&);

/// One node as a formula, down to the nearest nodes with names: "max(h + bias, 0)". For comments and `gradc explain`.
std::string formula(const Graph&, NodeId);

} // namespace gradc
