// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The evaluator compared with numbers by hand or by plain loops.
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include "compiler/graph/random.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/scan.h"
#include "compiler/util/check.h"
#include "tests/support/derivatives.h"
#include "tests/support/random_graph.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numeric>

using namespace gradc;
using build::elementwise;

namespace {

constexpr Dtype f32 = Dtype::f32, f64 = Dtype::f64, i32 = Dtype::i32;
using Numbers = std::vector<double>;

Numbers counted(int64_t n) {
    Numbers result(static_cast<size_t>(n));
    std::iota(result.begin(), result.end(), 0);
    return result;
}
NodeId table(Graph& g, Shape shape, Dtype dtype = f64) {
    int64_t n = count(shape, 1);
    return build::constant(g, counted(n), {dtype, std::move(shape)});
}
Numbers value(const Graph& g, NodeId id, const Environment& environment = {}) {
    return evaluate(extract(g, {{"value", id}}), environment)[0].values;
}

} // namespace

TEST_CASE("moves put every element where it belongs") {
    Graph g(tested_primitives());
    NodeId x = table(g, {2, 3});
    CHECK(value(g, build::permute(g, x, {1, 0})) == Numbers{0, 3, 1, 4, 2, 5});
    CHECK(value(g, build::reshape(g, build::permute(g, x, {1, 0}), {2, 3})) == Numbers{0, 3, 1, 4, 2, 5});
    CHECK(value(g, build::broadcast(g, table(g, {2}), {2, 3}, {0})) == Numbers{0, 0, 0, 1, 1, 1});
    CHECK(value(g, build::slice(g, x, {1, 2}, {-1, -2}, {2, 2})) == Numbers{5, 3, 2, 0});
    CHECK(value(g, build::pad(g, x, {0, 1}, {3, 5}, 9)) == Numbers{9, 0, 1, 2, 9, 9, 3, 4, 5, 9, 9, 9, 9, 9, 9});
    CHECK(value(g, build::window(g, table(g, {6}), {0, 2, 1}, 2, 3)) == Numbers{0, 1, 2, 2, 3, 4});
    CHECK(value(g, build::window(g, table(g, {6}), {0, 1, 3}, 2, 2)) == Numbers{0, 3, 1, 4});
    CHECK(value(g, build::fold(g, table(g, {2, 3}), {0, 2, 1}, 6)) == Numbers{0, 1, 5, 4, 5, 0});
    CHECK(value(g, build::concat(g, {x, x}, 1)) == Numbers{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
    NodeId integer = table(g, {3}, i32);
    CHECK(value(g, build::concat(g, {integer, integer, integer}, 0)) == Numbers{0, 1, 2, 0, 1, 2, 0, 1, 2});
}

TEST_CASE("reductions, lookups and contractions") {
    Graph g(tested_primitives());
    NodeId x = table(g, {2, 3, 2});
    CHECK(value(g, build::sum(g, x, {0, 2})) == Numbers{14, 22, 30});
    CHECK(value(g, build::max_of(g, x, {1})) == Numbers{4, 5, 10, 11});
    CHECK(value(g, build::max_of(g, elementwise(g, Primitive::negate, {table(g, {3}, i32)}), {0})) == Numbers{0});
    NodeId at = build::constant(g, {2, 0}, {i32, {2}});
    CHECK(value(g, build::gather(g, x, at, {1, 0})) == Numbers{4, 5, 0, 1, 10, 11, 6, 7});
    CHECK(value(g, build::gather(g, x, at, {1, 1})) == Numbers{4, 5, 6, 7});
    NodeId twice = build::constant(g, 1, i32, {2});
    CHECK(value(g, build::scatter(g, table(g, {2, 2}), twice, {1, 0}, {2, 3})) == Numbers{0, 1, 0, 0, 5, 0});
    CHECK(value(g, build::contract(g, table(g, {2, 3}), table(g, {3, 2}), {{0, 1}, {1, 2}, {0, 2}})) ==
          Numbers{10, 13, 28, 40});
    CHECK(value(g, build::contract(g, table(g, {2, 3}), table(g, {2, 3}), {{0, 1}, {0, 1}, {0}})) == Numbers{5, 50});
    CHECK(value(g, build::contract(g, table(g, {2}), table(g, {3}), {{0}, {1}, {1, 0}})) == Numbers{0, 0, 0, 1, 0, 2});
    NodeId outside = build::constant(g, 3, i32, {2});
    CHECK_THROWS_AS(value(g, build::gather(g, x, outside, {1, 0})), InternalError);
}

TEST_CASE("a contraction agrees with plain loops over all its labels") {
    Graph g(tested_primitives());
    NodeId a = table(g, {2, 3, 4}), b = table(g, {4, 2, 5});
    Numbers got = value(g, build::contract(g, a, b, {{0, 1, 2}, {2, 0, 3}, {3, 0, 1}}));
    Numbers expected(5 * 2 * 3, 0);
    for (int n = 0; n < 2; ++n)
        for (int i = 0; i < 3; ++i)
            for (int k = 0; k < 4; ++k)
                for (int o = 0; o < 5; ++o)
                    expected[size_t((o * 2 + n) * 3 + i)] += double((n * 3 + i) * 4 + k) * double((k * 2 + n) * 5 + o);
    CHECK(got == expected);
}

TEST_CASE("whole numbers: floor division, remainders of the divisor's sign, wrapping, bits") {
    Graph g(tested_primitives());
    NodeId a = build::constant(g, {-7, 7, -7, 7}, {i32, {4}}), b = build::constant(g, {2, -2, -2, 2}, {i32, {4}});
    CHECK(value(g, elementwise(g, Primitive::quotient, {a, b})) == Numbers{-4, -4, 3, 3});
    CHECK(value(g, elementwise(g, Primitive::remainder, {a, b})) == Numbers{1, -1, -1, 1});
    NodeId most = build::constant(g, INT32_MAX, i32), one = build::constant(g, 1, i32);
    CHECK(value(g, elementwise(g, Primitive::add, {most, one})) == Numbers{INT32_MIN});
    CHECK(value(g, elementwise(g, Primitive::shift_left, {one, build::constant(g, 31, i32)})) == Numbers{INT32_MIN});
    CHECK(value(g, elementwise(g, Primitive::shift_right, {build::constant(g, -8, i32), one})) == Numbers{-4});
    CHECK(value(g, elementwise(g, Primitive::bit_xor, {build::constant(g, 6, i32), build::constant(g, 3, i32)})) ==
          Numbers{5});
    NodeId bits = elementwise(g, Primitive::bits, {build::constant(g, 1.5, f32)});
    CHECK(value(g, bits) == Numbers{0x3fc00000});
    CHECK(value(g, elementwise(g, Primitive::from_bits, {bits})) == Numbers{1.5});
    NodeId wide =
        elementwise(g, Primitive::bits, {build::constant(g, 0.1, f64)}); // more bits than a double holds as a number
    CHECK(value(g, elementwise(g, Primitive::from_bits, {elementwise(g, Primitive::bit_or, {wide, wide})})) ==
          Numbers{0.1});
    NodeId zero = build::constant(g, 0, i32);
    CHECK_THROWS_AS(value(g, elementwise(g, Primitive::quotient, {one, zero})), InternalError);
}

TEST_CASE("casts and remainders of floating numbers") {
    Graph g(tested_primitives());
    NodeId x = build::constant(g, {-1.5, 2.7, 300, std::numeric_limits<double>::quiet_NaN()}, {f64, {4}});
    CHECK(value(g, build::cast(g, x, i32)) == Numbers{-1, 2, 300, 0});
    CHECK(value(g, build::cast(g, x, Dtype::u8))[2] == 44);
    CHECK(value(g, build::cast(g, x, Dtype::boolean)) == Numbers{1, 1, 1, 1});
    NodeId three = build::constant(g, 3, f64);
    Numbers left = value(g, elementwise(g, Primitive::remainder, {x, three}));
    CHECK(left[0] == 1.5);
    CHECK(left[2] == 0);
    CHECK(value(g, elementwise(g, Primitive::remainder, {x, elementwise(g, Primitive::negate, {three})}))[1] ==
          Approx(-0.3));
}

TEST_CASE("f32 is rounded only with round_f32") {
    Graph g(tested_primitives());
    NodeId third = elementwise(g, Primitive::divide, {build::constant(g, 1), build::constant(g, 3)});
    Environment environment;
    CHECK(value(g, third, environment) == Numbers{1. / 3});
    environment.round_f32 = true;
    CHECK(value(g, third, environment) == Numbers{double(float(1. / 3))});
}

TEST_CASE("declared primitives: by the C library, or an error") {
    auto primitives = tested_primitives();
    Primitive odd = primitives->declare("odd_one", 1);
    Graph g(primitives);
    NodeId x = build::constant(g, {1, 2}, {f64, {2}});
    CHECK(value(g, elementwise(g, *primitives->find("erf"), {x})) == Numbers{std::erf(1), std::erf(2)});
    CHECK_THROWS_AS(value(g, elementwise(g, odd, {x})), InternalError);
}

TEST_CASE("scans run in both directions; yields are indexed by the iteration") {
    for (bool reverse : {false, true}) {
        Graph g(tested_primitives());
        Graph body(g.shared_primitives());
        NodeId h = carry_input(body, 0, {f64, {rows}}), t = iteration_input(body, 3);
        NodeId x = capture_input(body, 0, {f64, {rows, 3}});
        NodeId next = elementwise(body, Primitive::add,
                                  {elementwise(body, Primitive::multiply, {h, build::constant(body, 10, f64)}),
                                   build::gather(body, x, t, {1, 0})});
        body.outputs = {{"h", next}, {"y", next}, {"t", t}};
        NodeId xs = g.add(Op::input, {f64, {rows, 3}}, {}, Input{Input::Source::field, "x", 0, -1});
        NodeId zero = build::broadcast_to(g, build::constant(g, 0, f64), {rows});
        auto parts = build::scan(g, std::move(body), {zero}, {xs}, 3, reverse);
        CHECK(g.type(parts[1]) == Type{f64, {rows, 3}});
        Environment environment;
        environment.rows = 2;
        environment.fields["x"] = {{2, 3}, {1, 2, 3, 4, 5, 6}};
        CHECK(value(g, parts[0], environment) == (reverse ? Numbers{321, 654} : Numbers{123, 456}));
        CHECK(value(g, parts[1], environment) ==
              (reverse ? Numbers{321, 32, 3, 654, 65, 6} : Numbers{1, 12, 123, 4, 45, 456}));
        CHECK(value(g, parts[2], environment) == Numbers{0, 1, 2});
    }
}

TEST_CASE("Philox gives the published numbers") {
    constexpr uint32_t all = 0xffffffff;
    CHECK(philox({0, 0, 0, 0}, {0, 0}) == std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(philox({all, all, all, all}, {all, all}) ==
          std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random numbers depend on seed, stream, step, row and place, not on the batch") {
    Graph g(tested_primitives());
    NodeId seed = build::scalar_input(g, "seed", Dtype::i64), step = build::scalar_input(g, "step", f64);
    NodeId row = g.add(Op::input, {i32, {rows}}, {}, Input{Input::Source::field, "#row", 0, -1});
    g.outputs = {{"x", g.add(Op::random, {f32, {rows, 2}}, {seed, step, row}, Random{7})},
                 {"w", g.add(Op::random, {f64, {2, 2}}, {seed, step}, Random{7})}};
    Environment environment;
    environment.rows = 2;
    environment.scalars = {{"seed", 5}, {"step", 9}};
    environment.fields["#row"] = {{2}, {40, 3}};
    auto both = evaluate(g, environment);
    environment.rows = 1;
    environment.fields["#row"] = {{1}, {3}};
    CHECK(evaluate(g, environment)[0].values == Numbers{both[0].values[2], both[0].values[3]});
    CHECK(both[0].values[0] == uniform_number(5, 7, 9, 40, 0, f32));
    CHECK(both[1].values[3] == uniform_number(5, 7, 9, 0, 3, f64));
    CHECK(uniform_number(5, 7, 9, 40, 0, f32) != uniform_number(5, 7, 9, 40, 1, f32));
    CHECK(uniform_number(5, 7, 9, 40, 0, f32) != uniform_number(5, 8, 9, 40, 0, f32));
    CHECK(uniform_number(uint64_t(1) << 32, 7, 9, 40, 0, f32) != uniform_number(0, 7, 9, 40, 0, f32));
    double total = 0;
    for (uint32_t i = 0; i < 4096; ++i) total += uniform_number(1, 2, 3, 4, i, f64);
    CHECK(total / 4096 == Approx(0.5).margin(0.02));
}

TEST_CASE("missing inputs are named, and nodes can be observed") {
    Graph g(tested_primitives());
    NodeId w = build::variable(g, "net.w", {f32, {2}});
    g.outputs = {{"y", elementwise(g, Primitive::negate, {w})}};
    CHECK_THROWS_WITH(evaluate(g, {}), Catch::Contains("net.w"));
    Environment environment;
    environment.variables["net.w"] = {{3}, {1, 2, 3}};
    CHECK_THROWS_WITH(evaluate(g, environment), Catch::Contains("[3]"));
    environment.variables["net.w"] = {{2}, {1, 2}};
    std::vector<NodeId> watched;
    environment.observe = [&](NodeId id, const Tensor& tensor) {
        watched.push_back(id);
        CHECK(tensor.values.size() == 2);
    };
    evaluate(g, environment);
    CHECK(watched == std::vector<NodeId>{w, g.outputs[0].node});
}
