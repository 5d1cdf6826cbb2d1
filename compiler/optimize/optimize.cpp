// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of passes and the loop that runs it.
#include "compiler/optimize/optimize.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/verify.h"
#include "compiler/optimize/passes.h"
#include "compiler/util/check.h"
#include "compiler/util/stopwatch.h"
#include <cstring>

namespace gradc {

const std::vector<Pass>& pass_table() {
    static const std::vector<Pass> table = {
        {"remove_custom_gradients", remove_custom_gradients,
         "values with a derivative clause of their own become plain values"},
        {"fold_constants", fold_constants, "what is made of constants is computed now"},
        {"apply_identities", apply_identities, "the identities of algebra.grad and of the user's file"},
        {"sink_moves", sink_moves, "transposes and broadcasts move into contractions and reductions"},
        {"move_out_of_scans", move_out_of_scans, "products of all iterations at once, before and behind loops"},
        {"collapse_linear_maps", collapse_linear_maps, "products of products in the cheapest order"},
        {"fold_constants_again", fold_constants, "what the identities uncovered"},
    };
    return table;
}

namespace {

struct Order {
    const char *first, *second, *reason;
};
// A pass table that breaks one of these is an internal error.
constexpr Order orders[] = {
    {"remove_custom_gradients", "apply_identities", "a custom_gradient hides the value that identities look for"},
    {"fold_constants", "apply_identities", "conditions of rules look at constants"},
    {"apply_identities", "sink_moves", "identities are written for whole values, not for labels"},
    {"sink_moves", "move_out_of_scans", "a transpose hides that an operand is a slice"},
    {"sink_moves", "collapse_linear_maps", "a transpose between two products hides that they are a chain"},
};

int position(const char* name) {
    const auto& table = pass_table();
    for (size_t i = 0; i < table.size(); ++i)
        if (!std::strcmp(table[i].name, name)) return int(i);
    return -1;
}

void check_order() {
    for (const Order& order : orders)
        check(position(order.first) < position(order.second), "optimize",
              std::string(order.first) + " must run before " + order.second + ": " + order.reason);
}

} // namespace

Graph run_pass(const Pass& pass, const Graph& graph, const PassContext& context) {
    return rewrite_everywhere(graph, [&](const Graph& each) { return pass.run(each, context); });
}

Graph optimize(Graph graph, const OptimizeOptions& options) {
    check_order();
    int number = 0;
    for (const Pass& pass : pass_table()) {
        ++number;
        if (options.disabled.count(pass.name)) continue;
        Stopwatch running;
        Graph next = run_pass(pass, graph, options.context);
        double seconds = running.seconds();
        if (options.verify) {
            std::string error = verify(next);
            check(error.empty(), pass.name, error);
        }
        if (options.observe) options.observe(number, pass, graph, next, seconds);
        graph = std::move(next);
    }
    return graph;
}

} // namespace gradc
