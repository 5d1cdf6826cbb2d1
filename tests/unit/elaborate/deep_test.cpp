// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A `repeat` of 67,000 iterations: 200,000 nodes, elaborated and differentiated with the library's clauses.
#include "compiler/gradient/gradient.h"
#include "tests/support/model_text.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("a model of 200,000 nodes in a row is elaborated and differentiated") {
    ModelText text(R"(model m(x: f32[N, 2]) -> f32[N, 2] {
    h = x
    repeat i < 67000 {
        h = max(h, x) - 0.5 * h
    }
    return h
}
)");
    INFO(text.errors());
    REQUIRE(text.job);
    Graph graph = text.model("m").graph;
    CHECK(graph.size() > 200'000);
    NodeId x{0};
    for (uint32_t i = 0; i < graph.size(); ++i)
        if (graph[NodeId(i)].op == Op::input) x = NodeId(i);
    NodeId g = gradient(graph, graph.outputs[0].node, {x}, *text.job->rules)[0];
    CHECK(g != NodeId::none);
}
