// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Equal layers of a network share functions, copies written by hand like `repeat`; kernels that differ in more than
// addresses and random streams do not.
#include "compiler/graph/build.h"
#include "compiler/program/code.h"
#include "tests/support/agreement.h"
#include "tests/support/derivatives.h"
#include <catch2/catch.hpp>
#include <set>

using namespace gradc;
using build::elementwise;

namespace {

constexpr int64_t width = 32, batch = 64;
const loop::Isa isa = loop::Isa::avx2;

/// A training step of h + max(h W + b, 0), `layers` times, the loss the sum of squares of the last; with `noise` the
/// layers are also multiplied by random numbers, each of a stream of its own.
Graph residual_step(int layers, bool noise = false) {
    Graph graph(tested_primitives());
    std::vector<NodeId> parameters;
    auto parameter = [&](const std::string& name, Shape shape) {
        parameters.push_back(build::variable(graph, name, {Dtype::f32, std::move(shape)}));
        return parameters.back();
    };
    NodeId h = graph.add(Op::input, {Dtype::f32, {rows, width}}, {}, Input{Input::Source::field, "x", 0, -1});
    NodeId seed = graph.add(Op::input, {Dtype::i64, {}}, {}, Input{Input::Source::scalar, "seed", 0, -1});
    NodeId step = graph.add(Op::input, {Dtype::f64, {}}, {}, Input{Input::Source::scalar, "step", 0, -1});
    for (int i = 0; i < layers; ++i) {
        NodeId w = parameter("w" + std::to_string(i), {width, width}), b = parameter("b" + std::to_string(i), {width});
        NodeId z = elementwise(graph, Primitive::add, {build::contract(graph, h, w, {{0, 1}, {1, 2}, {0, 2}}), b});
        z = elementwise(graph, Primitive::maximum, {z, build::constant(graph, 0)});
        if (noise) {
            NodeId drawn = graph.add(Op::random, {Dtype::f32, {batch, width}}, {seed, step}, Random{uint64_t(i) << 31});
            z = elementwise(graph, Primitive::multiply, {z, build::sum(graph, drawn, {0})});
        }
        h = elementwise(graph, Primitive::add, {h, z});
    }
    NodeId loss = build::sum(graph, elementwise(graph, Primitive::multiply, {h, h}), {0, 1});
    std::vector<NodeId> gradients = gradient(graph, loss, parameters, TestedRules{});
    graph.outputs = {{"loss", loss}};
    for (size_t i = 0; i < parameters.size(); ++i) {
        NodeId by = elementwise(graph, Primitive::multiply, {gradients[i], build::constant(graph, 0.01)});
        const std::string& name = attribute<VariableName>(graph[parameters[i]]).path;
        graph.outputs.push_back(
            {name, build::assign(graph, name, elementwise(graph, Primitive::subtract, {parameters[i], by}))});
    }
    return graph;
}

Plan plan_of(const Graph& graph) { return make_plan({{"step", graph}}, {"residual", batch}); }

int functions(const loop::Module& module) {
    int count = 0;
    for (const loop::Kernel& kernel : module.programs[0][size_t(isa)]->kernels) count += !kernel.same_as;
    return count;
}

} // namespace

TEST_CASE("a deeper network has more kernels and no more functions") {
    loop::Module eight = lower(plan_of(residual_step(8)), {isa}, NoMath());
    loop::Module sixteen = lower(plan_of(residual_step(16)), {isa}, NoMath());
    CHECK(sixteen.programs[0][size_t(isa)]->kernels.size() > eight.programs[0][size_t(isa)]->kernels.size());
    CHECK(functions(eight) == functions(sixteen));
    CHECK(functions(lower(plan_of(residual_step(16)), {isa}, NoMath(), {.share = false})) > functions(sixteen));
}

TEST_CASE("kernels that draw from different random streams share a function") {
    loop::Module eight = lower(plan_of(residual_step(8, true)), {isa}, NoMath());
    loop::Module sixteen = lower(plan_of(residual_step(16, true)), {isa}, NoMath());
    CHECK(functions(eight) == functions(sixteen));
    std::set<uint64_t> streams;
    for (const loop::Kernel& kernel : sixteen.programs[0][size_t(isa)]->kernels)
        streams.insert(kernel.streams.begin(), kernel.streams.end());
    CHECK(streams.size() == 16);
}

TEST_CASE("each kernel has the code that it has by itself") {
    for (bool noise : {false, true}) {
        Plan plan = plan_of(residual_step(5, noise));
        loop::Module module = lower(plan, {isa}, NoMath());
        loop::verify(module);
        CHECK(unlike_unshared(plan, module, isa, NoMath(), {}) == "");
    }
}

TEST_CASE("a copied module is the same bytes") {
    Plan plan = plan_of(residual_step(6, true));
    CHECK(loop::print(lower(plan, {isa}, NoMath()), isa) == loop::print(lower(plan, {isa}, NoMath()), isa));
    CHECK(loop::print(lower(plan, {isa}, NoMath()), isa) ==
          loop::print(lower(plan, {isa}, NoMath(), {.share = false}), isa));
}
