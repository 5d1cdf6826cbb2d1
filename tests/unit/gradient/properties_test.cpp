// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Transposed pairs by their inner products, ties and NaN, sides of a select, random graphs, large graphs.
#include "compiler/gradient/transpose.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "tests/support/derivatives.h"
#include "tests/support/finite_differences.h"
#include "tests/support/random_graph.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

using namespace gradc;
using build::elementwise;

namespace {

constexpr Dtype f64 = Dtype::f64;

NodeId variable(Graph& graph, const char* name, Shape shape) {
    return build::variable(graph, name, {f64, std::move(shape)});
}
NodeId number(Graph& graph, double value) { return build::constant(graph, value, f64); }

/// The inner product of two values of one shape.
NodeId inner(Graph& graph, NodeId a, NodeId b) {
    std::vector<int> all;
    for (int i = 0; i < graph.type(a).rank(); ++i) all.push_back(i);
    return build::sum(graph, elementwise(graph, Primitive::multiply, {a, b}), all);
}

std::vector<double> gradient_at(Graph& graph, NodeId y, NodeId x, std::vector<double> values) {
    NodeId g = gradient(graph, y, {x}, TestedRules{})[0];
    REQUIRE(g != NodeId::none);
    Environment environment;
    environment.variables["x"] = {graph.type(x).shape, std::move(values)};
    return evaluate(extract(graph, {{"g", g}}), environment)[0].values;
}

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

} // namespace

TEST_CASE("<A x, y> = <x, A' y> for every linear op") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {4, 6}), three = variable(g, "three", {2, 3, 4}), w = variable(g, "w", {6, 5});
    NodeId at = build::constant(g, {5, 0, 2, 2, 1, 5, 0, 3}, {Dtype::i32, {4, 2}});
    NodeId once = build::constant(g, {5, 0, 2, 2, 1, 7}, {Dtype::i32, {6}});
    std::vector<NodeId> linear = {
        build::sum(g, x, {1}),
        build::reshape(g, x, {8, 3}),
        build::permute(g, three, {1, 2, 0}),
        build::broadcast(g, x, {4, 3, 6}, {0, 2}),
        build::slice(g, x, {3, 5}, {-2, -1}, {2, 5}),
        build::slice(g, x, {0, 1}, {1, 2}, {4, 3}),
        build::pad(g, x, {1, 2}, {6, 9}, 0),
        build::window(g, x, {1, 2, 2}, 2, 2),
        build::fold(g, three, {0, 3, 1}, 7),
        build::gather(g, x, at, {1, 1}),
        build::gather(g, x, at, {1, 0}),
        build::scatter(g, x, once, {1, 0}, {4, 8}),
        build::contract(g, x, w, {{0, 1}, {1, 2}, {2, 0}}),
        build::cast(g, x, Dtype::f32),
    };
    std::set<Op> seen;
    for (NodeId ax : linear) {
        Op op = g[ax].op;
        INFO(name(op));
        seen.insert(op);
        NodeId from = g[ax].inputs[0];
        NodeId y = build::variable(g, "y" + std::to_string(index(ax)), g.type(ax));
        NodeId back = transposed(g, ax, 0, y);
        REQUIRE(g.type(back) == g.type(from));
        Graph both = extract(g, {{"left", inner(g, ax, y)}, {"right", inner(g, from, back)}});
        auto values = evaluate(both, random_environment(both, 5, 1));
        CHECK(values[0].values[0] == Approx(values[1].values[0]).epsilon(1e-12));
        CHECK(std::fabs(values[0].values[0]) > 1e-3);
    }
    for (int op = 0; op <= int(Op::assign); ++op) { // the linear kinds are all there
        Kind what = kind(Op(op));
        bool linear_op = (what == Kind::reduce && Op(op) != Op::max_of) || what == Kind::move || what == Kind::index ||
                         what == Kind::contract;
        if (linear_op) CHECK(seen.count(Op(op)) == 1);
    }
}

TEST_CASE("equal largest elements share the gradient") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2, 3});
    auto got = gradient_at(g, build::max_of(g, x, {1}), x, {1, 5, 5, 2, 2, 2});
    CHECK(got == std::vector<double>{0, 0.5, 0.5, 1. / 3, 1. / 3, 1. / 3});
}

TEST_CASE("maximum, minimum and max_of of NaN are NaN; comparisons with NaN are false") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {3});
    NodeId zero = number(g, 0);
    g.outputs = {{"max", elementwise(g, Primitive::maximum, {x, zero})},
                 {"min", elementwise(g, Primitive::minimum, {zero, x})},
                 {"all", build::max_of(g, x, {0})},
                 {"less", elementwise(g, Primitive::less, {x, zero})},
                 {"less_equal", elementwise(g, Primitive::less_equal, {zero, x})},
                 {"equal", elementwise(g, Primitive::equal, {x, x})}};
    Environment environment;
    environment.variables["x"] = {{3}, {nan_value, 1, -1}};
    auto out = evaluate(g, environment);
    CHECK(std::isnan(out[0].values[0]));
    CHECK(out[0].values[1] == 1);
    CHECK(std::isnan(out[1].values[0]));
    CHECK(out[1].values[2] == -1);
    CHECK(std::isnan(out[2].values[0]));
    CHECK(out[3].values == std::vector<double>{0, 0, 1});
    CHECK(out[4].values == std::vector<double>{0, 1, 0});
    CHECK(out[5].values == std::vector<double>{0, 1, 1});
}

TEST_CASE("the side of a select that is not taken adds nothing to a gradient") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {3});
    NodeId is_positive = elementwise(g, Primitive::less, {number(g, 0), x});
    Primitive log = *g.primitives().find("log");
    std::vector<double> at{0, -1, 4};
    SECTION("behind one map") {
        NodeId y = elementwise(g, Primitive::select, {is_positive, elementwise(g, log, {x}), number(g, 0)});
        CHECK(gradient_at(g, y, x, at) == std::vector<double>{0, 0, 0.25});
    }
    SECTION("on the other side, behind a chain") {
        NodeId root = elementwise(g, Primitive::sqrt, {elementwise(g, Primitive::multiply, {x, x})});
        NodeId y = elementwise(g, Primitive::select,
                               {elementwise(g, Primitive::logical_not, {is_positive}), number(g, 0), root});
        CHECK(gradient_at(g, y, x, at) == std::vector<double>{0, 0, 1});
    }
    SECTION("behind two branches of one value") {
        NodeId u = elementwise(g, Primitive::divide, {number(g, 1), x});
        NodeId sum =
            elementwise(g, Primitive::add, {elementwise(g, log, {u}), elementwise(g, Primitive::multiply, {u, u})});
        NodeId y = elementwise(g, Primitive::select, {is_positive, sum, number(g, 0)});
        CHECK(gradient_at(g, y, x, at) == std::vector<double>{0, 0, -0.25 - 2. / 64});
    }
    SECTION("behind sums and broadcasts") {
        NodeId scale = build::sum(g, x, {0}); // 3 here, zero below
        NodeId spread = build::broadcast_to(g, elementwise(g, log, {scale}), {3});
        NodeId never = elementwise(g, Primitive::less, {x, number(g, -100)});
        NodeId y = elementwise(g, Primitive::select, {never, spread, x});
        CHECK(gradient_at(g, y, x, {1, -2, 1}) == std::vector<double>{1, 1, 1});
    }
    SECTION("within another select") {
        NodeId big = elementwise(g, Primitive::less, {x, number(g, 100)});
        NodeId inside = elementwise(g, Primitive::select, {big, elementwise(g, log, {x}), x});
        NodeId y = elementwise(g, Primitive::select, {is_positive, inside, number(g, 0)});
        CHECK(gradient_at(g, y, x, at) == std::vector<double>{0, 0, 0.25});
    }
}

TEST_CASE("a derivative that keeps zeros gets no select") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {3});
    NodeId half = elementwise(g, Primitive::divide, {x, number(g, 2)});
    NodeId y =
        elementwise(g, Primitive::select, {elementwise(g, Primitive::less, {x, number(g, 1)}), half, number(g, 0)});
    NodeId d = gradient(g, y, {x}, TestedRules{})[0];
    REQUIRE(g[d].op == Op::elementwise);
    CHECK(attribute<Elementwise>(g[d]).primitive == Primitive::divide);
}

TEST_CASE("integers, comparisons and stop_gradient have no gradient") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {3});
    NodeId integer = build::cast(g, build::cast(g, x, Dtype::i32), f64);
    NodeId stopped = g.add(Op::custom_gradient, g.type(x), {x, x}, CustomGradient{0});
    NodeId compared = build::cast(g, elementwise(g, Primitive::less, {x, number(g, 0)}), f64);
    for (NodeId y : {integer, stopped, compared}) CHECK(gradient(g, y, {x}, TestedRules{})[0] == NodeId::none);
    CHECK(gradient(g, build::cast(g, x, Dtype::i32), {x}, TestedRules{})[0] == NodeId::none);
    auto depends = depends_on(g, {x});
    CHECK(depends[index(x)]);
    CHECK_FALSE(depends[index(integer)]);
    CHECK_FALSE(depends[index(compared)]);
}

TEST_CASE("an inner node has a gradient, and a seed weights the result") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2});
    NodeId h = elementwise(g, Primitive::multiply, {x, x});
    NodeId y = elementwise(g, Primitive::multiply, {h, h});
    NodeId seed = build::constant(g, {2, 3}, {f64, {2}});
    auto found = gradient(g, y, {x, h, y}, TestedRules{}, seed);
    Environment environment;
    environment.variables["x"] = {{2}, {2, 3}};
    auto values = evaluate(extract(g, {{"x", found[0]}, {"h", found[1]}, {"y", found[2]}}), environment);
    CHECK(values[0].values == std::vector<double>{2 * 4 * 8, 3 * 4 * 27});
    CHECK(values[1].values == std::vector<double>{2 * 2 * 4, 3 * 2 * 9});
    CHECK(values[2].values == std::vector<double>{2, 3});
}

TEST_CASE("random smooth graphs agree with differences, to the second derivative") {
    RandomGraphOptions options;
    options.dtype = f64;
    options.smooth = true;
    options.nodes = 12;
    options.stops = false;
    int with_gradient = 0;
    for (uint64_t seed = 1; seed <= 60; ++seed) {
        INFO("seed " << seed);
        Graph graph = random_graph(seed, tested_primitives(), options);
        Environment environment = random_environment(graph, seed, 2);
        NodeId loss = graph.outputs[0].node;
        double error = derivative_error(graph, loss, TestedRules{}, environment, seed <= 20 ? 2 : 1);
        CHECK(error < 1e-5);
        with_gradient += error > 0;
    }
    CHECK(with_gradient > 40);
}

TEST_CASE("the time to differentiate a chain is linear in its length") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2}), y = x;
    Primitive sin = *g.primitives().find("sin");
    for (int i = 0; i < 100'000; ++i) y = elementwise(g, sin, {y});
    size_t before = g.size();
    NodeId d = gradient(g, y, {x}, TestedRules{})[0];
    CHECK(d != NodeId::none);
    CHECK(g.size() < 4 * before);
}
