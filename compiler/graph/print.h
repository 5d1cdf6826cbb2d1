// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The graph as text, one node a line, and back:
//     graph 1
//     %0 = input field "image" : f32[N, 64]
//     %3 = elementwise add %1 %2 : f32[N, 10]  # logits
//     output loss = %9
// The number after `graph` is the format's; a newer one is refused. parse_graph(print(g)) == g in text.
#pragma once
#include "compiler/graph/graph.h"
#include "dsl/diagnostic.h"
#include <optional>

namespace gradc {

std::string print(const Graph&);
/// Throws InternalError-free: reports to `error` and returns nullopt where the text is no graph.
std::optional<Graph> parse_graph(const std::string& text, std::shared_ptr<PrimitiveTable>, std::string& error);
std::string print_dot(const Graph&);

/// One node as a formula in terms of its inputs' names: "relu(h + bias)"; for comments and explain.
std::string formula(const Graph&, NodeId);

} // namespace gradc
