// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels are called by what they compute, and no two of a program alike.
#include "compiler/graph/build.h"
#include "compiler/plan/kernel_name.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("a path in words has no block number, no model and no number of a layer that stands alone") {
    PathNames words({"gpt.block_1.attention_1.linear_1.weight", "gpt.block_1.attention_1.linear_2.weight",
                     "gpt.block_2.attention_1.linear_1.weight", "gpt.linear_1.bias", "gpt.place"});
    CHECK(words("gpt.block_1.attention_1.linear_1.weight") == "block_attention_linear_1_weight");
    CHECK(words.layer("gpt.block_1.attention_1.linear_2.weight") == "block_attention_linear_2");
    CHECK(words("gpt.linear_1.bias") == "linear_bias");
    CHECK(words("gpt.place") == "place");
    CHECK(PathNames({"encoder.linear_1.weight", "decoder.linear_1.weight"})("encoder.linear_1.weight") ==
          "encoder_linear_weight");
}

TEST_CASE("the same layer of two blocks is one name, with a number where it is taken") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = graph.add(Op::input, {Dtype::f32, {rows, 100}}, {}, Input{Input::Source::field, "x", 0, -1});
    for (const char* block : {"net.block_1.", "net.block_2."}) {
        NodeId weight = build::variable(graph, std::string(block) + "linear_1.weight", {Dtype::f32, {100, 100}});
        x = build::contract(graph, x, weight, {{0, 1}, {1, 2}, {0, 2}});
    }
    graph.outputs.push_back({"predict", x});
    Plan plan = make_plan({{"predict", graph}}, {"m", 32});
    REQUIRE(plan.programs[0].kernels.size() == 2);
    CHECK(plan.programs[0].kernels[0].name == "forward_block_linear");
    CHECK(plan.programs[0].kernels[1].name == "forward_block_linear_2");
}
