// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random graphs with every kind of op, planned and lowered for every instruction set, fused and unfused, as one part
// and as several: they give the evaluator's values.
#include "compiler/graph/print.h"
#include "tests/support/agreement.h"
#include "tests/support/random_graph.h"
#include <catch2/catch.hpp>
#include <cstdlib>

using namespace gradc;

TEST_CASE("random graphs agree with the evaluator") {
    const char* more = std::getenv("GRADC_RANDOM_GRAPHS");
    const char* only = std::getenv("GRADC_RANDOM_SEED");
    uint64_t first = only ? std::strtoull(only, nullptr, 10) : 1;
    uint64_t last = only ? first : more ? std::strtoull(more, nullptr, 10) : 200;
    for (uint64_t seed = first; seed <= last; ++seed) {
        INFO("seed " << seed);
        RandomGraphOptions options;
        options.nodes = 8 + int(seed % 5) * 6;
        options.dtype = seed % 3 == 0 ? Dtype::f64 : Dtype::f32;
        Graph graph = random_graph(seed, std::make_shared<PrimitiveTable>(), options);
        int64_t row_count = 1 + int64_t(seed % 5);
        Environment environment = random_environment(graph, seed, row_count);
        AgreementOptions wanted;
        wanted.rows = row_count;
        wanted.batch = row_count + int64_t(seed % 3);
        wanted.pieces = 1 + int64_t(seed % 4);
        wanted.fuse = seed % 4 != 0;
        wanted.tolerance = options.dtype == Dtype::f64 ? 1e-9 : 2e-4;
        std::string error;
        try {
            error = disagreement(graph, environment, wanted);
        } catch (const InternalError& internal) {
            error = internal.pass + ": " + internal.what();
        }
        if (!error.empty()) UNSCOPED_INFO(print(graph));
        REQUIRE(error == "");
    }
}
