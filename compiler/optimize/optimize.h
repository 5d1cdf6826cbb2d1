// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Graph to graph: the passes, in one table that is run from top to bottom. Every pass computes the same outputs;
// those marked fast may change results within rounding, none changes what happens for inf and NaN
// unless its rule says so. Order needs are checked pairs with a reason (see `orders` in optimize.cpp).
#pragma once
#include "compiler/graph/graph.h"
#include <functional>
#include <set>
#include <string>

namespace gradc {

struct PatternRule; // an identity of algebra.grad or the user's file; see compiler/graph/pattern.h

struct PassContext {
    const std::vector<PatternRule>* rules = nullptr;
    int64_t batch = 1; // rows that work is counted for
    /// Told of each identity that was applied: what stood there and what stands for it, in the graph being built.
    std::function<void(const PatternRule&, const Graph&, NodeId before, NodeId after)> applied = {};
};

struct Pass {
    const char* name; // its effect: "fold_constants"
    Graph (*run)(const Graph&, const PassContext&);
    const char* about; // one line for --help and dumps
};

const std::vector<Pass>& pass_table();

struct OptimizeOptions {
    std::set<std::string> disabled; // names of passes
    PassContext context;
    bool verify = false; // check the graph after every pass
    /// Called after each pass with its number (from 1), name, result and seconds; for --dump-dir and --time-passes.
    std::function<void(int, const Pass&, const Graph& before, const Graph& after, double seconds)> observe;
};

/// All passes that are not disabled, in the order of the table. Throws UserError where the user's rewrite rules do not
/// end, InternalError where the table breaks an order or `verify` finds a broken graph.
Graph optimize(Graph graph, const OptimizeOptions& options);

} // namespace gradc
