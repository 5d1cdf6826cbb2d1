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
#include <optional>

namespace gradc {

/// The nodes that the outputs reach, numbered from 0; all nodes if there are no outputs.
std::string print(const Graph&);
/// Never throws: if the text is no valid graph, sets `error` ("line 3: ..") and returns nullopt.
std::optional<Graph> parse_graph(const std::string& text, std::shared_ptr<PrimitiveTable>, std::string& error);
/// The same nodes as a drawing for Graphviz.
std::string print_dot(const Graph&);

/// One node as a formula, down to the nearest nodes with names: "max(h + bias, 0)". For comments and `gradc explain`.
std::string formula(const Graph&, NodeId);

} // namespace gradc
