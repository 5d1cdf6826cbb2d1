// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The condition for many steps in one call: a guard, a short step, rows in columns.
#include "compiler/graph/build.h"
#include "compiler/program/lower.h"
#include "compiler/program/multi_step.h"
#include "compiler/program/verify.h"
#include "tests/support/agreement.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

/// A line fitted by descent: loss sum((x w - y)^2), and a count of the rows seen.
Graph descent(int64_t width, bool with_loss = true) {
    Graph graph(std::make_shared<PrimitiveTable>());
    auto field = [&](const char* name, Shape shape) {
        return graph.add(Op::input, {Dtype::f32, std::move(shape)}, {}, Input{Input::Source::field, name, 0, -1});
    };
    NodeId y = field("y", {rows}), x = field("x", {rows, width}); // in another order than they are read
    NodeId w = build::variable(graph, "w", {Dtype::f32, {width}}),
           seen = build::variable(graph, "seen", {Dtype::f32, {}});
    NodeId off = build::elementwise(graph, Primitive::subtract, {build::contract(graph, x, w, {{0, 1}, {1}, {0}}), y});
    NodeId loss = build::sum(graph, build::elementwise(graph, Primitive::multiply, {off, off}), {0});
    NodeId slope = build::contract(graph, x, off, {{0, 1}, {0}, {1}});
    NodeId down = build::elementwise(graph, Primitive::multiply, {slope, build::constant(graph, 0.01)});
    NodeId one = build::constant(graph, 1);
    graph.outputs.push_back({with_loss ? "loss" : "result", loss});
    graph.outputs.push_back(
        {"w", build::assign(graph, "w", build::elementwise(graph, Primitive::subtract, {w, down}))});
    graph.outputs.push_back(
        {"seen", build::assign(graph, "seen", build::elementwise(graph, Primitive::add, {seen, one}))});
    return graph;
}

loop::Module stretched(const Graph& graph, int64_t batch) {
    loop::Module module = lower(make_plan({{"step", graph}}, {"m", batch}),
                                {loop::Isa::baseline, loop::Isa::avx2, loop::Isa::avx512}, NoMath());
    loop::add_multi_step(module, {"seen"});
    loop::verify(module);
    return module;
}

} // namespace

TEST_CASE("short steps with a guard run many in one call, for every instruction set") {
    loop::Module module = stretched(descent(5), 4);
    for (const auto& program : module.programs[0]) {
        REQUIRE(program->multi_step);
        CHECK(program->multi_step->rows == 4);
        REQUIRE(program->multi_step->cleared.size() == 1);
        CHECK(module.buffers[program->multi_step->cleared[0]].name == "seen");
        std::vector<loop::MultiStepField> fields = loop::multi_step_fields(module, *program);
        REQUIRE(fields.size() == 2);
        for (const loop::MultiStepField& field : fields) {
            CHECK(field.row_bytes == (module.buffers[field.buffer].name == "x" ? 20 : 4));
            CHECK(!field.numbers);
        }
        CHECK(fields[0].buffer < fields[1].buffer); // as the table lists them
    }
}

TEST_CASE("without a loss there is no guard and no multi-step function") {
    loop::Module module = stretched(descent(5, false), 4);
    for (const auto& program : module.programs[0]) CHECK(!program->multi_step);
}

TEST_CASE("a long step has a call of its own; the bound depends on the vector width") {
    loop::Module longer = stretched(descent(900), 512);
    for (const auto& program : longer.programs[0]) CHECK(!program->multi_step);
    loop::Module module = stretched(descent(300), 40);
    CHECK(module.programs[0][size_t(loop::Isa::avx512)]->multi_step);
    for (int64_t batch = 40; batch < 1000; batch += 40) { // never the narrow one alone
        auto programs = stretched(descent(300), batch).programs[0];
        CHECK((programs[size_t(loop::Isa::avx512)]->multi_step || !programs[size_t(loop::Isa::baseline)]->multi_step));
    }
}
