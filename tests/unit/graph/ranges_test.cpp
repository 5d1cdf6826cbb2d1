// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ranges of integers: by table, and never narrower than the values of random graphs.
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include "compiler/graph/print.h"
#include "compiler/graph/ranges.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/row_ranges.h"
#include "tests/support/derivatives.h"
#include "tests/support/random_graph.h"
#include <catch2/catch.hpp>

using namespace gradc;
using build::elementwise;

namespace {

constexpr Dtype f32 = Dtype::f32, i32 = Dtype::i32;

NodeId label(Graph& g, int64_t low, int64_t high) {
    return g.add(Op::input, {i32, {rows}}, {}, Input{Input::Source::field, "label", low, high});
}
NodeId number(Graph& g, double value) { return build::constant(g, value, i32); }
Range range(const Graph& g, NodeId id, int64_t batch = 0) { return IntegerRanges(g, batch)(id); }

} // namespace

TEST_CASE("ranges through arithmetic") {
    Graph g(tested_primitives());
    NodeId i = label(g, 0, 9), j = label(g, -3, 4);
    CHECK(range(g, i) == Range{0, 9});
    CHECK(range(g, elementwise(g, Primitive::add, {i, j})) == Range{-3, 13});
    CHECK(range(g, elementwise(g, Primitive::subtract, {i, j})) == Range{-4, 12});
    CHECK(range(g, elementwise(g, Primitive::multiply, {i, j})) == Range{-27, 36});
    CHECK(range(g, elementwise(g, Primitive::negate, {j})) == Range{-4, 3});
    CHECK(range(g, elementwise(g, Primitive::abs, {j})) == Range{0, 4});
    CHECK(range(g, elementwise(g, Primitive::maximum, {j, number(g, 0)})) == Range{0, 4});
    CHECK(range(g, elementwise(g, Primitive::minimum, {i, number(g, 5)})) == Range{0, 5});
    CHECK(range(g, elementwise(g, Primitive::remainder, {j, number(g, 3)})) == Range{0, 2});
    CHECK(range(g, elementwise(g, Primitive::remainder, {i, number(g, 20)})) == Range{0, 9});
    CHECK(range(g, elementwise(g, Primitive::remainder, {i, number(g, -4)})) == Range{-3, 0});
    CHECK(range(g, elementwise(g, Primitive::quotient, {j, number(g, 2)})) == Range{-2, 2});
    CHECK(range(g, elementwise(g, Primitive::less, {i, j})) == Range{0, 1});
    CHECK(range(g, elementwise(g, Primitive::select, {elementwise(g, Primitive::less, {i, j}), i, j})) == Range{-3, 9});
    CHECK(range(g, elementwise(g, Primitive::bit_and, {i, number(g, 3)})) == Range{0, 3});
    NodeId big = number(g, 2e9);
    CHECK(range(g, elementwise(g, Primitive::add, {big, big})) == Range{INT32_MIN, INT32_MAX}); // may wrap
    CHECK(range(g, elementwise(g, Primitive::bits, {build::constant(g, 1)})) == Range{INT32_MIN, INT32_MAX});
}

TEST_CASE("ranges of leaves, moves, sums and lookups") {
    Graph g(tested_primitives());
    NodeId i = label(g, 0, 9);
    CHECK(range(g, build::iota(g, {3, 7}, 1)) == Range{0, 6});
    CHECK(range(g, build::iota(g, {rows}, 0), 32) == Range{0, 31});
    CHECK(range(g, build::iota(g, {rows}, 0)) == Range{0, INT32_MAX});
    NodeId table = build::constant(g, {4, -2, 7}, {i32, {3}});
    CHECK(range(g, table) == Range{-2, 7});
    CHECK(range(g, build::gather(g, table, elementwise(g, Primitive::minimum, {i, number(g, 2)}), {0, 0})) ==
          Range{-2, 7});
    CHECK(range(g, build::sum(g, table, {0})) == Range{-6, 21});
    CHECK(range(g, build::sum(g, i, {0}), 10) == Range{0, 90});
    CHECK(range(g, build::sum(g, i, {0})) == Range{0, INT32_MAX});
    CHECK(range(g, build::max_of(g, table, {0})) == Range{-2, 7});
    CHECK(range(g, build::pad(g, table, {1}, {5}, 11)) == Range{-2, 11});
    CHECK(range(g, build::variable(g, "u", {Dtype::u8, {2}})) == Range{0, 255});
    CHECK(range(g, build::cast(g, build::variable(g, "u", {Dtype::u8, {2}}), i32)) == Range{0, 255});
}

TEST_CASE("floating numbers have a range only where NaN is impossible") {
    Graph g(tested_primitives());
    NodeId seed = build::scalar_input(g, "seed", Dtype::i64), step = build::scalar_input(g, "step", Dtype::f64);
    NodeId u = g.add(Op::random, {f32, {5}}, {seed, step}, Random{1});
    auto scaled = [&](double by) {
        return build::cast(g, elementwise(g, Primitive::multiply, {u, build::constant(g, by)}), i32);
    };
    CHECK(range(g, scaled(10)) == Range{0, 10});
    CHECK(range(g, elementwise(g, Primitive::minimum, {scaled(10), number(g, 9)})) == Range{0, 9});
    NodeId x = build::variable(g, "x", {f32, {5}});
    NodeId clamped = elementwise(
        g, Primitive::minimum, {elementwise(g, Primitive::maximum, {x, build::constant(g, 0)}), build::constant(g, 9)});
    CHECK(range(g, build::cast(g, clamped, i32)) == Range{INT32_MIN, INT32_MAX});
    NodeId integer = build::cast(g, build::cast(g, label(g, 0, 9), f32), i32);
    CHECK(range(g, integer) == Range{0, 9});
}

TEST_CASE("ranges are kept while the graph grows, for chains of any length") {
    Graph g(tested_primitives());
    IntegerRanges ranges(g);
    NodeId x = label(g, 0, 1);
    CHECK(ranges(x) == Range{0, 1});
    for (int i = 0; i < 200'000; ++i)
        x = elementwise(g, Primitive::remainder, {elementwise(g, Primitive::add, {x, number(g, i % 7)}), number(g, 5)});
    CHECK(ranges(x).inside(0, 4));
    CHECK(ranges(elementwise(g, Primitive::add, {x, x})).inside(0, 8));
}

TEST_CASE("no value of a random graph leaves its range") {
    int checked = 0;
    for (uint64_t seed = 0; seed < 100; ++seed) {
        Graph g = random_graph(seed, tested_primitives());
        g.outputs.clear();
        for (uint32_t i = 0; i < g.size(); ++i)
            if (g[NodeId{i}].op != Op::scan && integer(g.type(NodeId{i}).dtype)) g.outputs.push_back({"", NodeId{i}});
        IntegerRanges ranges(g, 3);
        RowRanges beside_rows(g);
        Environment environment = random_environment(g, seed, 3);
        environment.round_f32 = true;
        auto values = evaluate(g, environment);
        for (size_t k = 0; k < values.size(); ++k) {
            Range found = ranges(g.outputs[k].node);
            RowRange of_any = beside_rows(g.outputs[k].node);
            for (double value : values[k].values) {
                REQUIRE(value >= double(found.low));
                REQUIRE(value <= double(found.high));
                REQUIRE(value >= std::max(of_any.low, 3 + of_any.low_rows));
                REQUIRE(value <= std::min(of_any.high, 3 + of_any.high_rows));
                ++checked;
            }
        }
    }
    CHECK(checked > 1000);
}

TEST_CASE("lookups along N have ranges relative to N") {
    Graph g(tested_primitives());
    auto number = [&](double value) { return build::constant(g, value, Dtype::i32); };
    NodeId n = build::cast(g, build::scalar_input(g, "rows", Dtype::i64), Dtype::i32);
    NodeId row = build::iota(g, {rows}, 0, Dtype::i32), one = number(1);
    NodeId last = elementwise(g, Primitive::subtract, {n, one}), next = elementwise(g, Primitive::add, {row, one}),
           before = elementwise(g, Primitive::subtract, {row, one});
    RowRanges ranges(g);
    for (NodeId inside :
         {row, last, number(0), elementwise(g, Primitive::subtract, {last, row}),
          elementwise(g, Primitive::remainder, {next, n}), elementwise(g, Primitive::minimum, {next, last}),
          elementwise(g, Primitive::maximum, {before, number(0)}),
          elementwise(g, Primitive::quotient, {row, number(3)}),
          elementwise(g, Primitive::remainder, {row, number(2)})}) {
        INFO(print(g) << index(inside));
        CHECK(ranges(inside).inside_rows());
    }
    for (NodeId outside :
         {n, next, before, one, elementwise(g, Primitive::subtract, {row, last}),
          elementwise(g, Primitive::remainder, {next, number(2)}), elementwise(g, Primitive::multiply, {row, row}),
          elementwise(g, Primitive::minimum, {before, last})}) {
        CHECK_FALSE(ranges(outside).inside_rows());
    }
    CHECK(ranges(next).high_rows == 0);
    CHECK(std::isinf(ranges(elementwise(g, Primitive::subtract, {last, row})).high));
    CHECK(ranges(elementwise(g, Primitive::subtract, {n, row})).low == 1);
}
