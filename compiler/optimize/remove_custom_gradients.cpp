// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A custom_gradient carries a derivative clause of the model language. After differentiation it has no use.
#include "compiler/graph/rewrite.h"
#include "compiler/optimize/passes.h"

namespace gradc {

Graph remove_custom_gradients(const Graph& graph, const PassContext&) {
    return rebuild(graph, [&](Graph&, NodeId old, const std::vector<NodeId>& inputs) {
        return graph[old].op == Op::custom_gradient ? inputs[0] : NodeId::none;
    });
}

} // namespace gradc
