// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Graph to graph: one table of passes, which run from top to bottom. Every pass keeps the outputs. A pass that is
// marked fast may change results within rounding. None changes results for inf and NaN unless its rule says so. The
// order has checked constraints, each with a reason (see `orders` in optimize.cpp).
#pragma once
#include "compiler/graph/graph.h"
#include <functional>
#include <set>
#include <string>

namespace gradc {

struct PatternRule; // an identity of algebra.grad or the user's file; see compiler/graph/pattern.h

struct PassContext {
    const std::vector<PatternRule>* rules = nullptr;
    int64_t batch = 1; // rows, for the estimate of work
    /// Called for each identity that was applied, with the nodes before and after it in the graph under construction.
    std::function<void(const PatternRule&, const Graph&, NodeId before, NodeId after)> applied = {};
};

struct Pass {
    const char* name;                               // its effect: "fold_constants"
    Graph (*run)(const Graph&, const PassContext&); // of one graph, whose bodies stay; see run_pass
    const char* about;                              // one line for --help and dumps
};

const std::vector<Pass>& pass_table();

/// The result of one pass on the graph, after the pass has rewritten the bodies of its scans, the innermost first.
Graph run_pass(const Pass&, const Graph&, const PassContext&);

struct OptimizeOptions {
    std::set<std::string> disabled; // names of passes
    PassContext context;
    bool verify = false; // check the graph after every pass
    /// Called after each pass with its number (from 1), name, result and seconds; for --dump-dir and --time-passes.
    std::function<void(int, const Pass&, const Graph& before, const Graph& after, double seconds)> observe;
};

/// Runs all passes that are not disabled, in the order of the table. Throws UserError if the user's rewrite rules do
/// not terminate, InternalError if the table breaks an order constraint or `verify` finds a broken graph.
Graph optimize(Graph graph, const OptimizeOptions& options);

} // namespace gradc
