// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Budgets of memory on a chain of like layers: each is met by checkpoints, down to a multiple of the square root of its
// length; every value is there when it is read, and kernels that repeat others are parts of them.
#include "compiler/graph/build.h"
#include "compiler/plan/live_ranges.h"
#include "compiler/plan/plan.h"
#include "tests/support/derivatives.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc;
using build::elementwise;

namespace {

constexpr int64_t width = 96, batch = 128;

/// A training step of sigmoid-like layers x -> 1 / (1 + (x W)^2).
Graph chain(int layers) {
    Graph graph(tested_primitives());
    NodeId h = graph.add(Op::input, {Dtype::f32, {rows, width}}, {}, Input{Input::Source::field, "x", 0, -1});
    NodeId one = build::constant(graph, 1);
    std::vector<NodeId> weights;
    for (int i = 0; i < layers; ++i) {
        weights.push_back(build::variable(graph, "w" + std::to_string(i), {Dtype::f32, {width, width}}));
        NodeId z = build::contract(graph, h, weights.back(), {{0, 1}, {1, 2}, {0, 2}});
        NodeId square = elementwise(graph, Primitive::multiply, {z, z});
        h = elementwise(graph, Primitive::divide, {one, elementwise(graph, Primitive::add, {one, square})});
    }
    NodeId loss = build::sum(graph, elementwise(graph, Primitive::multiply, {h, h}), {0, 1});
    std::vector<NodeId> gradients = gradient(graph, loss, weights, TestedRules{});
    graph.outputs = {{"loss", loss}};
    for (size_t i = 0; i < weights.size(); ++i) {
        std::string path = "w" + std::to_string(i);
        NodeId next = elementwise(graph, Primitive::subtract, {weights[i], gradients[i]});
        graph.outputs.push_back({path, build::assign(graph, path, next)});
    }
    return graph;
}

Plan planned(int layers, int64_t memory) { return make_plan({{"step", chain(layers)}}, {"m", batch, true, memory}); }

int64_t shared(const Plan& plan) {
    return plan.parts.variables + plan.parts.fields + plan.parts.results + plan.parts.constants;
}

} // namespace

TEST_CASE("a budget of memory is met, and buffers that live at one step lie apart") {
    Plan whole = planned(24, 0);
    int64_t own = whole.parts.activations;
    for (double share : {0.75, 0.5}) {
        INFO(share);
        int64_t memory = shared(whole) + int64_t(share * double(own));
        Plan plan = planned(24, memory);
        CHECK(plan.arena_bytes <= memory);
        CHECK(plan.least <= plan.arena_bytes);
        int repeats = 0;
        for (const FusedKernel& kernel : plan.programs[0].kernels) {
            if (!kernel.repeats) continue;
            ++repeats;
            const FusedKernel& first = plan.programs[0].kernels[*kernel.repeats];
            CHECK(kernel.space == first.space);
            CHECK(kernel.stages.size() <= first.stages.size());
        }
        CHECK(repeats > 0);
        CHECK(print(plan) == print(planned(24, memory)));
    }
}

TEST_CASE("the least memory of a chain grows as the square root of its length") {
    auto least = [](int layers) {
        Plan plan = planned(layers, 1); // never enough
        return double(plan.parts.activations);
    };
    double few = least(16), many = least(64);
    CHECK(planned(64, 0).parts.activations > int64_t(3.5 * double(planned(16, 0).parts.activations)));
    CHECK(many < 2.6 * few); // 2, and what every step needs whatever the length
}

TEST_CASE("a budget that is large enough changes nothing") {
    Plan whole = planned(6, 0);
    CHECK(print(planned(6, whole.arena_bytes)) == print(whole));
}
