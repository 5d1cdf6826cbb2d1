// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every pass keeps the values of random graphs, by the evaluator before and after it.
#include "compiler/graph/verify.h"
#include "compiler/optimize/optimize.h"
#include "tests/support/random_graph.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc;

namespace {

void require_equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) {
        REQUIRE(a[i].shape == b[i].shape);
        for (size_t k = 0; k < a[i].values.size(); ++k) {
            double x = a[i].values[k], y = b[i].values[k];
            INFO("output " << i << " element " << k << ": " << x << " and " << y);
            REQUIRE((std::isnan(x) ? std::isnan(y) : std::fabs(x - y) <= 2e-6 * (1 + std::fabs(x))));
        }
    }
}

std::shared_ptr<PrimitiveTable> table_with_functions() {
    auto table = std::make_shared<PrimitiveTable>();
    for (const char* name : {"exp", "log", "sin", "cos", "tanh", "erf"}) table->declare(name, 1);
    return table;
}

} // namespace

TEST_CASE("passes keep the values of random graphs") {
    for (uint64_t seed = 1; seed <= 200; ++seed) {
        Graph graph = random_graph(seed, table_with_functions());
        Environment environment = random_environment(graph, seed, 1 + int64_t(seed % 4));
        const std::vector<Tensor> expected = evaluate(graph, environment);
        for (const Pass& pass : pass_table()) {
            INFO("seed " << seed << ", pass " << pass.name);
            Graph next = run_pass(pass, graph, {});
            REQUIRE(verify(next) == "");
            require_equal(expected, evaluate(next, environment));
            graph = std::move(next);
        }
    }
}
