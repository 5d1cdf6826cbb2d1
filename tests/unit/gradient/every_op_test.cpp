// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every op against central differences in double: first, second and third derivatives.
#include "compiler/graph/build.h"
#include "compiler/graph/scan.h"
#include "compiler/graph/verify.h"
#include "tests/support/derivatives.h"
#include "tests/support/finite_differences.h"
#include "tests/support/random_graph.h"
#include <catch2/catch.hpp>
#include <functional>

using namespace gradc;
using build::elementwise;

namespace {

constexpr Dtype f64 = Dtype::f64;

struct Case {
    const char* name;
    std::function<NodeId(Graph&)> build;
};

NodeId variable(Graph& graph, const char* name, Shape shape) {
    return build::variable(graph, name, {f64, std::move(shape)});
}
NodeId field(Graph& graph, Shape shape) {
    return graph.add(Op::input, {f64, std::move(shape)}, {}, Input{Input::Source::field, "x", 0, -1});
}
NodeId number(Graph& graph, double value) { return build::constant(graph, value, f64); }
NodeId named(Graph& graph, const char* name, std::vector<NodeId> inputs) {
    return elementwise(graph, *graph.primitives().find(name), std::move(inputs));
}
NodeId indices(Graph& graph, std::vector<double> values, Shape shape) {
    return build::constant(graph, std::move(values), {Dtype::i32, std::move(shape)});
}
NodeId positive(Graph& graph, NodeId x) { // away from zero
    return elementwise(graph, Primitive::add, {elementwise(graph, Primitive::multiply, {x, x}), number(graph, 1.5)});
}
/// Something curved, so that second and third derivatives are not zero.
NodeId curved(Graph& graph, NodeId x) { return named(graph, "sin", {x}); }

const std::vector<Case>& elementwise_cases() {
    static const auto unary = [](const char* name) {
        return Case{name, [=](Graph& g) { return named(g, name, {positive(g, variable(g, "a", {2, 3}))}); }};
    };
    static const auto binary = [](Primitive p) {
        return [=](Graph& g) {
            NodeId a = variable(g, "a", {2, 3}), b = positive(g, variable(g, "b", {3}));
            return elementwise(g, p, {curved(g, a), b});
        };
    };
    static const std::vector<Case> all = {
        unary("exp"),
        unary("log"),
        unary("sin"),
        unary("cos"),
        unary("tanh"),
        unary("erf"),
        unary("sqrt"),
        unary("negate"),
        unary("abs"),
        {"add", binary(Primitive::add)},
        {"subtract", binary(Primitive::subtract)},
        {"multiply", binary(Primitive::multiply)},
        {"divide", binary(Primitive::divide)},
        {"maximum", binary(Primitive::maximum)},
        {"minimum", binary(Primitive::minimum)},
        {"remainder",
         [](Graph& g) {
             NodeId a = elementwise(g, Primitive::multiply, {variable(g, "a", {5}), number(g, 7)});
             return curved(g, elementwise(g, Primitive::remainder, {a, number(g, 1.7)}));
         }},
        {"pow", [](Graph& g) { return named(g, "pow", {positive(g, variable(g, "a", {4})), variable(g, "b", {4})}); }},
        {"select",
         [](Graph& g) {
             NodeId a = variable(g, "a", {4}), b = variable(g, "b", {4});
             NodeId c = elementwise(g, Primitive::less, {build::iota(g, {4}, 0), build::constant(g, 2, Dtype::i32)});
             return elementwise(g, Primitive::select, {c, curved(g, a), named(g, "exp", {b})});
         }},
        {"fused_multiply_add",
         [](Graph& g) {
             NodeId a = variable(g, "a", {4}), b = variable(g, "b", {4});
             return elementwise(g, Primitive::fused_multiply_add, {curved(g, a), b, named(g, "exp", {a})});
         }},
        {"cast", [](Graph& g) { return build::cast(g, curved(g, variable(g, "a", {3})), Dtype::f32); }},
    };
    return all;
}

const std::vector<Case>& move_cases() {
    static const std::vector<Case> all = {
        {"reshape", [](Graph& g) { return curved(g, build::reshape(g, variable(g, "a", {2, 6}), {3, 4})); }},
        {"permute", [](Graph& g) { return curved(g, build::permute(g, variable(g, "a", {2, 3, 4}), {2, 0, 1})); }},
        {"broadcast new axes",
         [](Graph& g) { return curved(g, build::broadcast(g, variable(g, "a", {3}), {2, 3, 4}, {1})); }},
        {"broadcast stretched",
         [](Graph& g) { return curved(g, build::broadcast(g, variable(g, "a", {1, 3}), {4, 3}, {0, 1})); }},
        {"slice",
         [](Graph& g) { return curved(g, build::slice(g, variable(g, "a", {5, 4}), {1, 0}, {1, 1}, {3, 2})); }},
        {"slice by steps",
         [](Graph& g) { return curved(g, build::slice(g, variable(g, "a", {8, 7}), {1, 0}, {3, 2}, {3, 3})); }},
        {"slice backwards",
         [](Graph& g) { return curved(g, build::slice(g, variable(g, "a", {5, 7}), {4, 6}, {-1, -3}, {5, 3})); }},
        {"pad",
         [](Graph& g) {
             return named(g, "exp", {build::pad(g, curved(g, variable(g, "a", {2, 2})), {1, 0}, {4, 3}, 0.5)});
         }},
        {"window", [](Graph& g) { return curved(g, build::window(g, variable(g, "a", {2, 7}), {1, 2, 1}, 3, 3)); }},
        {"window dilated",
         [](Graph& g) { return curved(g, build::window(g, variable(g, "a", {9}), {0, 1, 3}, 3, 3)); }},
        {"fold", [](Graph& g) { return curved(g, build::fold(g, variable(g, "a", {3, 3, 2}), {0, 2, 1}, 8)); }},
        {"concat",
         [](Graph& g) { return curved(g, build::concat(g, {variable(g, "a", {2, 2}), variable(g, "b", {2, 3})}, 1)); }},
    };
    return all;
}

/// Reductions, lookups, contractions, custom_gradients.
const std::vector<Case>& sum_cases() {
    static const std::vector<Case> all = {
        {"sum", [](Graph& g) { return curved(g, build::sum(g, variable(g, "a", {2, 3, 2}), {0, 2})); }},
        {"max_of", [](Graph& g) { return curved(g, build::max_of(g, variable(g, "a", {2, 5}), {1})); }},
        {"max_of all", [](Graph& g) { return curved(g, build::max_of(g, variable(g, "a", {2, 5}), {0, 1})); }},
        {"gather",
         [](Graph& g) {
             return curved(g,
                           build::gather(g, variable(g, "a", {3, 4}), indices(g, {3, 0, 3, 1, 1, 2}, {2, 3}), {1, 0}));
         }},
        {"gather in batches",
         [](Graph& g) {
             return curved(g, build::gather(g, variable(g, "a", {2, 3, 4}), indices(g, {3, 0, 1, 1}, {2, 2}), {2, 1}));
         }},
        {"scatter",
         [](Graph& g) {
             NodeId at = indices(g, {3, 0, 3}, {3});
             return curved(g, build::scatter(g, variable(g, "a", {2, 3}), at, {1, 0}, {2, 5}));
         }},
        {"contract",
         [](Graph& g) {
             return curved(
                 g, build::contract(g, variable(g, "a", {2, 3}), variable(g, "b", {3, 2}), {{0, 1}, {1, 2}, {0, 2}}));
         }},
        {"contract in batches",
         [](Graph& g) {
             NodeId a = variable(g, "a", {2, 3, 2}), b = variable(g, "b", {3, 2, 2});
             return curved(g, build::contract(g, a, b, {{0, 1, 2}, {1, 0, 3}, {3, 0, 2}}));
         }},
        {"contract with itself",
         [](Graph& g) {
             NodeId a = variable(g, "a", {3, 2});
             return curved(g, build::contract(g, a, a, {{0, 1}, {2, 1}, {0, 2}}));
         }},
        {"convolution",
         [](Graph& g) {
             NodeId x =
                 build::window(g, build::window(g, variable(g, "a", {5, 5, 2}), {0, 2, 1}, 2, 3), {2, 2, 1}, 2, 3);
             NodeId w = variable(g, "b", {3, 3, 2, 2});
             return curved(g, build::contract(g, x, w, {{0, 1, 2, 3, 4}, {1, 3, 4, 5}, {0, 2, 5}}));
         }},
        {"custom_gradient",
         [](Graph& g) {
             NodeId a = variable(g, "a", {3});
             NodeId two = elementwise(g, Primitive::multiply, {a, number(g, 2)});
             return curved(g, g.add(Op::custom_gradient, g.type(a), {two, a}, CustomGradient{2}));
         }},
    };
    return all;
}

const std::vector<Case>& row_cases() {
    static const std::vector<Case> all = {
        {"mean over rows",
         [](Graph& g) {
             NodeId y = elementwise(g, Primitive::multiply, {field(g, {rows, 3}), variable(g, "a", {3})});
             NodeId total = build::sum(g, curved(g, y), {0});
             return elementwise(g, Primitive::divide, {total, build::scalar_input(g, "rows", f64)});
         }},
        {"product over rows",
         [](Graph& g) {
             NodeId h = build::contract(g, field(g, {rows, 3}), variable(g, "a", {3, 2}), {{0, 1}, {1, 2}, {0, 2}});
             return build::contract(g, curved(g, h), h, {{0, 1}, {2, 1}, {0, 2}});
         }},
        {"largest over rows",
         [](Graph& g) {
             NodeId y = elementwise(g, Primitive::multiply, {field(g, {rows, 3}), variable(g, "a", {3})});
             return curved(g, build::max_of(g, y, {0}));
         }},
        {"rows gathered",
         [](Graph& g) {
             NodeId at = g.add(Op::input, {Dtype::i32, {rows}}, {}, Input{Input::Source::field, "i", 0, 3});
             return curved(g, build::gather(g, variable(g, "a", {4, 2}), at, {0, 0}));
         }},
        {"value at each row",
         [](Graph& g) {
             NodeId at = g.add(Op::input, {Dtype::i32, {rows}}, {}, Input{Input::Source::field, "i", 0, 2});
             NodeId y = elementwise(g, Primitive::add, {field(g, {rows, 3}), variable(g, "a", {3})});
             return build::gather(g, named(g, "exp", {y}), at, {1, 1});
         }},
    };
    return all;
}

/// One iteration of a small recurrent network: h = tanh(h w + x[t]).
NodeId recurrent_iteration(Graph& body, const Shape& h, const Shape& xs, int axis, int64_t iterations, bool mirrored) {
    NodeId carry = carry_input(body, 0, {f64, h});
    NodeId w = capture_input(body, 0, {f64, {h.back(), h.back()}});
    NodeId x = capture_input(body, 1, {f64, xs});
    NodeId t = iteration_input(body, iterations);
    if (mirrored)
        t = elementwise(body, Primitive::subtract, {build::constant(body, double(iterations - 1), Dtype::i32), t});
    NodeId slice = build::gather(body, x, t, {axis, 0});
    Contract product = h.size() == 1 ? Contract{{0}, {0, 1}, {1}} : Contract{{0, 1}, {1, 2}, {0, 2}};
    NodeId next = elementwise(body, Primitive::add, {build::contract(body, carry, w, product), slice});
    return named(body, "tanh", {next});
}

std::vector<NodeId> recurrent(Graph& g, NodeId start, NodeId w, NodeId xs, int axis, bool reverse, bool mirrored) {
    Graph body(g.shared_primitives());
    int64_t iterations = g.type(xs).shape[size_t(axis)];
    NodeId next = recurrent_iteration(body, g.type(start).shape, g.type(xs).shape, axis, iterations, mirrored);
    body.outputs = {{"h", next}, {"y", named(body, "exp", {next})}};
    return build::scan(g, std::move(body), {start}, {w, xs}, iterations, reverse);
}

NodeId joined_parts(Graph& g, const std::vector<NodeId>& parts) {
    return elementwise(g, Primitive::add, {weighed_sum(g, curved(g, parts[0])), weighed_sum(g, parts[1])});
}

const std::vector<Case>& scan_cases() {
    static const auto plain = [](bool reverse, bool mirrored) {
        return [=](Graph& g) {
            return joined_parts(g, recurrent(g, variable(g, "a", {2}), variable(g, "b", {2, 2}),
                                             variable(g, "c", {4, 2}), 0, reverse, mirrored));
        };
    };
    static const std::vector<Case> all = {
        {"scan", plain(false, false)},
        {"scan in reverse", plain(true, false)},
        {"scan of mirrored turns", plain(false, true)},
        {"scan of rows",
         [](Graph& g) {
             NodeId xs = elementwise(g, Primitive::multiply, {field(g, {rows, 3, 2}), variable(g, "c", {3, 2})});
             NodeId start = build::broadcast_to(g, variable(g, "a", {2}), {rows, 2});
             return joined_parts(g, recurrent(g, start, variable(g, "b", {2, 2}), xs, 1, false, false));
         }},
        {"scan that yields alone",
         [](Graph& g) {
             Graph body(g.shared_primitives());
             NodeId x = capture_input(body, 0, {f64, {4, 2}});
             NodeId slice =
                 build::gather(body, x, iteration_input(body, 3), {0, 0}); // one iteration fewer than rows of x
             body.outputs = {{"y", curved(body, slice)}};
             return build::scan(g, std::move(body), {}, {variable(g, "a", {4, 2})}, 3, false)[0];
         }},
        {"scan of two carries that swap",
         [](Graph& g) {
             Graph body(g.shared_primitives());
             NodeId a = carry_input(body, 0, {f64, {2}}), b = carry_input(body, 1, {f64, {2}});
             body.outputs = {{"a", curved(body, b)}, {"b", elementwise(body, Primitive::multiply, {a, b})}};
             auto parts = build::scan(g, std::move(body), {variable(g, "a", {2}), variable(g, "b", {2})}, {}, 3, false);
             return elementwise(g, Primitive::add, {parts[0], parts[1]});
         }},
        {"scan that reads a table by its carry",
         [](Graph& g) {
             Graph body(g.shared_primitives());
             NodeId at = carry_input(body, 0, {Dtype::i32, {}});
             NodeId h = carry_input(body, 1, {f64, {2}});
             NodeId table = capture_input(body, 0, {f64, {3, 2}});
             NodeId one = build::constant(body, 1, Dtype::i32), three = build::constant(body, 3, Dtype::i32);
             NodeId next =
                 elementwise(body, Primitive::remainder, {elementwise(body, Primitive::add, {at, one}), three});
             NodeId row = build::gather(body, table, at, {0, 0});
             body.outputs = {{"at", next}, {"h", curved(body, elementwise(body, Primitive::multiply, {h, row}))}};
             NodeId start = build::constant(g, 1, Dtype::i32);
             return build::scan(g, std::move(body), {start, variable(g, "a", {2})}, {variable(g, "b", {3, 2})}, 4,
                                false)[1];
         }},
        {"scan in a scan",
         [](Graph& g) {
             Graph body(g.shared_primitives());
             NodeId h = carry_input(body, 0, {f64, {2}});
             NodeId w = capture_input(body, 0, {f64, {2, 2}});
             NodeId xs = capture_input(body, 1, {f64, {3, 2}});
             auto inner = recurrent(body, h, w, xs, 0, true, false);
             body.outputs = {{"h", inner[0]}, {"y", build::sum(body, inner[1], {0})}};
             auto parts = build::scan(g, std::move(body), {variable(g, "a", {2})},
                                      {variable(g, "b", {2, 2}), variable(g, "c", {3, 2})}, 2, false);
             return joined_parts(g, parts);
         }},
        {"scan that was built without its carries saved",
         [](Graph& g) {
             Graph body(g.shared_primitives());
             NodeId h = carry_input(body, 0, {f64, {2}});
             body.outputs = {{"h", curved(body, h)}};
             Scan scan{g.add_body(std::move(body)), 3, 1, false};
             NodeId loop = g.add(Op::scan, scan_type(), {variable(g, "a", {2})}, scan);
             return g.add(Op::part, {f64, {2}}, {loop}, Part{0});
         }},
    };
    return all;
}

void check_derivatives(const Case& each, int order) {
    INFO(each.name);
    Graph graph(tested_primitives());
    NodeId y = each.build(graph);
    Environment environment = random_environment(graph, 11, 3);
    double error = derivative_error(graph, y, TestedRules{}, environment, order);
    CHECK(error < 2e-6);
}

} // namespace

TEST_CASE("elementwise derivatives agree with differences, to the third order") {
    for (const Case& each : elementwise_cases()) check_derivatives(each, 3);
}

TEST_CASE("derivatives of reductions, moves, lookups and contractions agree with differences, to "
          "the third") {
    for (const auto* cases : {&move_cases(), &sum_cases()})
        for (const Case& each : *cases) check_derivatives(each, 3);
}

TEST_CASE("derivatives over rows agree with differences") {
    for (const Case& each : row_cases()) check_derivatives(each, 3);
}

TEST_CASE("derivatives of scans agree with differences, to the second") {
    for (const Case& each : scan_cases()) check_derivatives(each, 2);
}

TEST_CASE("third derivatives of a scan") { check_derivatives(scan_cases()[0], 3); }

TEST_CASE("graphs of derivatives are valid, and pruning scans changes no value") {
    for (const auto* cases : {&elementwise_cases(), &move_cases(), &sum_cases(), &row_cases(), &scan_cases()})
        for (const Case& each : *cases) {
            INFO(each.name);
            Graph graph(tested_primitives());
            NodeId y = weighed_sum(graph, each.build(graph));
            NodeId a{0};
            while (graph[a].op != Op::variable || attribute<VariableName>(graph[a]).path != "a")
                a = NodeId{index(a) + 1};
            NodeId g = gradient(graph, y, {a}, TestedRules{})[0];
            REQUIRE(g != NodeId::none);
            graph.outputs = {{"g", g}};
            REQUIRE(verify(graph).empty());
            Graph pruned = prune_scans(graph);
            CHECK(verify(pruned).empty());
            Environment environment = random_environment(graph, 11, 3);
            CHECK(evaluate(pruned, environment)[0].values == evaluate(graph, environment)[0].values);
        }
}
