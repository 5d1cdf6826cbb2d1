// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Optimizers are functions that run once for each parameter `w` with its gradient `g`, in the graph of the step. Calls
// that need all parameters at once (`gradient(at:)`, `loss(at:)`, `total`) are barriers. Every parameter runs up to a
// barrier, the barrier is computed for all of them, then all start again with its value. The graph is hash-consed, so
// nothing is built twice.
#pragma once
#include "compiler/training/flags.h"

namespace gradc {

/// An optimizer with its settings: adam(learning_rate: ..), clip(adam(..), norm: 1).
struct OptimizerInstance : Foreign {
    const FunctionEntry* function = nullptr;
    std::string path;                                   // of its states: "clip.adam"
    std::vector<std::pair<std::string, Term>> settings; // an inner optimizer is a Foreign
    Span span;
};
using InstanceRef = std::shared_ptr<const OptimizerInstance>;

/// Reads the value of an `optimizer` line. Settings are evaluated in `scope`; numbers among them become flags. Null
/// after an error.
InstanceRef read_optimizer(Elaborator& elaborator, const ast::Expr& expression, Scope& scope, Flags& flags);

/// A parameter that an optimizer line updates.
struct MovedParameter {
    std::string path;
    NodeId node = NodeId::none;     // its value at the start of the step
    NodeId gradient = NodeId::none; // of the loss
    InstanceRef optimizer;
    int line = 0;   // which optimizer line, from 0
    Span span = {}; // of that line
};

/// The input of run_optimizers. Definitions and graph are not owned; new nodes are added to the graph.
struct OptimizerRequest {
    Definitions& definitions;
    Graph& graph;
    ElaborationMode mode;
    std::string block;
    int number = 0; // of the block
    uint32_t module = 0;
    NodeId loss = NodeId::none;
    std::vector<MovedParameter> parameters;
};

struct OptimizerMoves {
    std::vector<std::pair<std::string, NodeId>> values; // by path: of the parameters, then of the optimizers' states
    /// The point where all parameters take their gradient, if none takes it at the parameters themselves; else empty.
    std::unordered_map<NodeId, NodeId> point;
};
/// The new values as nodes of request.graph; nothing after an error.
std::optional<OptimizerMoves> run_optimizers(const OptimizerRequest& request);

} // namespace gradc
