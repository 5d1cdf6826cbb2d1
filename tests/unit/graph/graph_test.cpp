// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Identity of nodes, checks, constructors, rewriting.
#include "compiler/graph/analysis.h"
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include "compiler/graph/graph.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/scan.h"
#include "compiler/graph/verify.h"
#include "compiler/util/check.h"
#include "tests/support/derivatives.h"
#include "tests/support/random_graph.h"
#include <catch2/catch.hpp>
#include <ctime>
#include <limits>

using namespace gradc;
using build::elementwise;

namespace {

constexpr Dtype f32 = Dtype::f32, i32 = Dtype::i32;

NodeId variable(Graph& graph, const char* name, Shape shape, Dtype dtype = f32) {
    return build::variable(graph, name, {dtype, std::move(shape)});
}

/// The message of verify_node for an invalid node; fails the test if the node is valid.
std::string error(const Graph& g, Op op, Type type, std::vector<NodeId> inputs, Attributes attributes) {
    std::string text = verify_node(g, op, type, inputs, attributes);
    REQUIRE_FALSE(text.empty());
    CHECK_THROWS_AS(Graph(g).add(op, type, inputs, attributes), InternalError);
    return text;
}

} // namespace

TEST_CASE("shapes: sizes, names, broadcasting") {
    CHECK(print(Type{f32, {rows, 64}}) == "f32[N, 64]");
    CHECK(print(Type{i32, {}}) == "i32");
    CHECK(count({rows, 4}, 3) == 12);
    CHECK(count({int64_t(1) << 40, int64_t(1) << 40}, 1) == -1);
    struct {
        Shape a, b, result;
        bool fits;
    } table[] = {{{rows, 3}, {3}, {rows, 3}, true},
                 {{2, 1}, {1, 4}, {2, 4}, true},
                 {{}, {rows}, {rows}, true},
                 {{rows, 1}, {rows}, {}, false},
                 {{1, 3}, {rows, 3}, {}, false},
                 {{2}, {3}, {}, false},
                 {{rows, rows}, {rows}, {rows, rows}, true}};
    for (auto& row : table) {
        Shape joined;
        CHECK(broadcast_shapes(row.a, row.b, joined) == row.fits);
        if (row.fits) CHECK(joined == row.result);
    }
    CHECK(reshapes({rows, 4, 3}, {rows, 12}));
    CHECK(reshapes({2, 3, rows, 4}, {6, rows, 2, 2}));
    CHECK_FALSE(reshapes({4, rows}, {rows, 4}));
    CHECK_FALSE(reshapes({2, 3}, {5}));
}

TEST_CASE("equal nodes have one id, different ones do not") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2, 3}), y = variable(g, "y", {2, 3});
    CHECK(elementwise(g, Primitive::add, {x, y}) == elementwise(g, Primitive::add, {x, y}));
    CHECK(elementwise(g, Primitive::add, {x, y}) != elementwise(g, Primitive::add, {y, x}));
    CHECK(variable(g, "x", {2, 3}) == x);
    double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(build::constant(g, nan) == build::constant(g, nan));
    CHECK(build::constant(g, 0.0) != build::constant(g, -0.0));
    CHECK(build::constant(g, {3, 3}, {f32, {2}}) == build::constant(g, 3, f32, {2}));
    CHECK(build::pad(g, x, {0, 0}, {2, 4}, 0.0) != build::pad(g, x, {0, 0}, {2, 4}, -0.0));
    auto draw = [&](uint64_t stream) {
        NodeId seed = build::scalar_input(g, "seed", Dtype::i64), step = build::scalar_input(g, "step", Dtype::f64);
        return g.add(Op::random, {f32, {4}}, {seed, step}, Random{stream});
    };
    CHECK(draw(1) == draw(1));
    CHECK(draw(1) != draw(2));
    const Node& node = g[x];
    for (int i = 0; i < 1000; ++i) build::constant(g, i);
    CHECK(&node == &g[x]); // references stay valid while the graph grows
}

TEST_CASE("spans and names do not count in a node's identity; the first name stays") {
    Graph g(tested_primitives());
    NodeId x = build::variable(g, "x", {f32, {}}, Span{0, 1, 2});
    CHECK(build::variable(g, "x", {f32, {}}, Span{0, 5, 6}) == x);
    CHECK(g[x].span == Span{0, 1, 2});
    g.name_node(x, "first");
    g.name_node(x, "second");
    CHECK(g[x].name == "first");
}

TEST_CASE("operations that change nothing add no node") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2, 3});
    CHECK(build::reshape(g, x, {2, 3}) == x);
    CHECK(build::reshape(g, build::reshape(g, x, {6}), {2, 3}) == x);
    CHECK(build::permute(g, build::permute(g, x, {1, 0}), {1, 0}) == x);
    CHECK(build::broadcast_to(g, x, {2, 3}) == x);
    CHECK(build::cast(g, x, f32) == x);
    CHECK(build::sum(g, x, {}) == x);
    CHECK(build::slice(g, x, {0, 0}, {1, 1}, {2, 3}) == x);
    CHECK(build::pad(g, x, {0, 0}, {2, 3}, 7) == x);
    CHECK(build::sum_to(g, x, {2, 3}) == x);
    CHECK(g.type(build::sum_to(g, x, {2, 1})).shape == Shape{2, 1});
    CHECK(g.type(build::sum_to(g, x, {3})).shape == Shape{3});
}

TEST_CASE("constructors infer types") {
    Graph g(tested_primitives());
    NodeId x = g.add(Op::input, {f32, {rows, 4, 6}}, {}, Input{Input::Source::field, "x", 0, -1});
    NodeId i = variable(g, "i", {2, 5}, i32);
    CHECK(g.type(build::window(g, x, {1, 1, 2}, 2, 2)) == Type{f32, {rows, 2, 2, 6}});
    CHECK(g.type(build::gather(g, x, i, {1, 0})) == Type{f32, {rows, 2, 5, 6}});
    CHECK(g.type(build::permute(g, x, {2, 0, 1})) == Type{f32, {6, rows, 4}});
    CHECK(g.type(build::contract(g, x, x, {{0, 1, 2}, {3, 1, 2}, {3, 0}})) == Type{f32, {rows, rows}});
    CHECK(g.type(elementwise(g, Primitive::less, {x, build::constant(g, 0)})).dtype == Dtype::boolean);
    CHECK(g.type(build::broadcast(g, i, {5, 3, 2}, {2, 0})) == Type{i32, {5, 3, 2}});
    CHECK(g.type(build::concat(g, {i, i, i}, 1)) == Type{i32, {2, 15}});
    CHECK_THROWS_AS(elementwise(g, Primitive::add, {x, i}), InternalError);
}

TEST_CASE("an invalid node is refused, with the reason") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2, 3}), i = variable(g, "i", {2}, i32);
    NodeId n = g.add(Op::input, {f32, {rows, 3}}, {}, Input{Input::Source::field, "n", 0, -1});
    CHECK(error(g, Op::elementwise, {f32, {2, 3}}, {x}, Elementwise{Primitive::add}).find("number of inputs") !=
          std::string::npos);
    error(g, Op::elementwise, {f32, {2, 3}}, {x, n}, Elementwise{Primitive::add});
    error(g, Op::elementwise, {i32, {2, 3}}, {x, x}, Elementwise{Primitive::add});
    error(g, Op::elementwise, {f32, {2, 3}}, {x, x}, Axes{{0}});
    error(g, Op::elementwise, {Dtype::boolean, {2}}, {i, i}, Elementwise{Primitive::logical_and});
    error(g, Op::elementwise, {i32, {2}}, {i, i}, Elementwise{Primitive::divide});
    error(g, Op::constant, {f32, {3}}, {}, Constant{{1, 2}});
    error(g, Op::constant, {f32, {0}}, {}, Constant{{1}});
    error(g, Op::constant, {i32, {}}, {}, Constant{{0.5}});
    error(g, Op::variable, {f32, {rows}}, {}, VariableName{"w"});
    error(g, Op::sum, {f32, {3}}, {x}, Axes{{1}});
    error(g, Op::sum, {f32, {}}, {x}, Axes{{1, 0}});
    error(g, Op::reshape, {f32, {3, rows}}, {n}, NoAttributes{});
    error(g, Op::permute, {f32, {2, 2}}, {x}, Axes{{0, 0}});
    error(g, Op::broadcast, {f32, {4, 3}}, {x}, Axes{{0, 1}});
    error(g, Op::slice, {f32, {2, 2}}, {x}, Slice{{0, 2}, {1, 1}});
    error(g, Op::slice, {f32, {1, 3}}, {n}, Slice{{0, 0}, {1, 1}});
    error(g, Op::pad, {f32, {2, 3}}, {x}, Pad{{1, 0}, 0});
    error(g, Op::window, {f32, {2, 2, 3}}, {x}, Window{1, 1, 1});
    error(g, Op::gather, {f32, {2, 2}}, {x, x}, Gather{1, 0});
    error(g, Op::gather, {f32, {2, 3}}, {x, i}, Gather{1, 0});
    error(g, Op::contract, {f32, {2}}, {x, x}, Contract{{0, 1}, {0, 2}, {0}});
    error(g, Op::contract, {f32, {3, 3}}, {x, x}, Contract{{0, 1}, {0, 2}, {1, 1}});
    error(g, Op::sum, {f32, {2}}, {NodeId{99}}, Axes{{1}});
    error(g, Op::random, {f32, {2}}, {x, x}, Random{1});
    error(g, Op::part, {f32, {}}, {x}, Part{0});
    Graph body(g.shared_primitives());
    body.outputs = {{"", carry_input(body, 0, {f32, {}})}};
    Scan scan{g.add_body(std::move(body)), 2, 1, false};
    error(g, Op::scan, scan_type(), {x}, scan);
    error(g, Op::scan, scan_type(), {}, scan);
}

TEST_CASE("verify finds changes that bypass add") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2});
    g.outputs = {{"x", x}};
    CHECK(verify(g).empty());
    g.outputs.push_back({"lost", NodeId{7}});
    CHECK_FALSE(verify(g).empty());
    Graph loose(tested_primitives());
    loose.outputs = {{"h", carry_input(loose, 0, {f32, {}})}};
    CHECK_FALSE(verify(loose).empty());
}

TEST_CASE("rebuild, substitute, extract and inline_graph keep values and names") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2}), y = variable(g, "y", {2});
    NodeId sum = elementwise(g, Primitive::add, {x, y});
    g.name_node(sum, "sum");
    NodeId product = elementwise(g, Primitive::multiply, {sum, sum});
    variable(g, "unused", {2});
    g.outputs = {{"product", product}};

    Graph copy = rebuild(g, {});
    CHECK(copy.size() == 4);
    CHECK(copy[copy[copy.outputs[0].node].inputs[0]].name == "sum");

    Graph changed = rebuild(g, [&](Graph& to, NodeId old, const std::vector<NodeId>& inputs) {
        return old == sum ? elementwise(to, Primitive::subtract, inputs) : NodeId::none;
    });
    Environment environment;
    environment.variables = {{"x", {{2}, {5, 7}}}, {"y", {{2}, {2, 3}}}};
    CHECK(evaluate(changed, environment)[0].values == std::vector<double>{9, 16});

    auto doubled = substitute(g, {product, x}, {{sum, x}});
    CHECK(doubled[0] == elementwise(g, Primitive::multiply, {x, x}));
    CHECK(doubled[1] == x);

    Graph target(g.shared_primitives());
    NodeId z = variable(target, "z", {2});
    auto inlined = inline_graph(g, {product}, target, {{sum, z}});
    CHECK(inlined[0] == elementwise(target, Primitive::multiply, {z, z}));
    CHECK(target.size() == 2); // nothing below bound nodes

    CHECK(extract(g, {{"s", sum}}).size() == 3);
    CHECK(reachable(g, {product}) == std::vector<NodeId>{x, y, sum, product});
}

TEST_CASE("scans: equal bodies are one, unread parts are pruned") {
    Graph g(tested_primitives());
    auto loop = [&] {
        Graph body(g.shared_primitives());
        NodeId a = carry_input(body, 0, {f32, {2}}), b = carry_input(body, 1, {f32, {2}});
        NodeId c = capture_input(body, 0, {f32, {2}});
        capture_input(body, 1, {f32, {2}}); // never read
        body.outputs = {{"a", elementwise(body, Primitive::add, {a, c})},
                        {"b", elementwise(body, Primitive::multiply, {a, b})},
                        {"y", elementwise(body, Primitive::negate, {b})}};
        return build::scan(g, std::move(body), {variable(g, "x", {2}), variable(g, "y", {2})},
                           {variable(g, "c", {2}), variable(g, "d", {2})}, 4, false);
    };
    auto parts = loop();
    CHECK(loop() == parts);
    CHECK(g.body_count() == 1);
    CHECK(parts.size() == 3);
    CHECK(g.type(parts[2]) == Type{f32, {4, 2}});
    NodeId scan = g[parts[0]].inputs[0];
    CHECK(g[scan].inputs.size() == 3);                                // without the capture that the body does not read
    CHECK(g.body(attribute<Scan>(g[scan]).body).outputs.size() == 5); // with both carries saved

    g.outputs = {{"a", parts[0]}};
    Graph pruned = prune_scans(g);
    NodeId left = pruned[pruned.outputs[0].node].inputs[0];
    CHECK(attribute<Scan>(pruned[left]).carries == 1);
    CHECK(pruned[left].inputs.size() == 2);
    Environment environment;
    environment.variables = {{"x", {{2}, {1, 2}}}, {"c", {{2}, {3, 4}}}};
    CHECK(evaluate(pruned, environment)[0].values == std::vector<double>{13, 18});

    g.outputs = {{"y", parts[2]}};
    Graph integer = prune_scans(g);
    CHECK(attribute<Scan>(integer[integer[integer.outputs[0].node].inputs[0]]).carries == 2);
}

TEST_CASE("a pass is applied to nested loop bodies") {
    Graph g(tested_primitives());
    Graph inner(g.shared_primitives()), outer(g.shared_primitives());
    NodeId deep = carry_input(inner, 0, {f32, {2}});
    NodeId negated = elementwise(inner, Primitive::negate, {deep});
    inner.outputs = {{"h", inner.add(Op::custom_gradient, {f32, {2}}, {negated, deep}, CustomGradient{1})}};
    NodeId h = carry_input(outer, 0, {f32, {2}});
    outer.outputs = {{"h", build::scan(outer, std::move(inner), {h}, {}, 3, false)[0]}};
    g.outputs = {{"y", build::scan(g, std::move(outer), {variable(g, "x", {2})}, {}, 3, false)[0]}};
    auto unshielded = [](const Graph& graph) {
        return rebuild(graph, [&](Graph&, NodeId old, const std::vector<NodeId>& inputs) {
            return graph[old].op == Op::custom_gradient ? inputs[0] : NodeId::none;
        });
    };
    Graph plain = rewrite_everywhere(g, unshielded);
    CHECK(verify(plain).empty());
    const Graph& body = plain.body(0).body(0);
    for (uint32_t i = 0; i < body.size(); ++i) CHECK(body[NodeId{i}].op != Op::custom_gradient);
    Environment environment;
    environment.variables = {{"x", {{2}, {1, 2}}}};
    CHECK(evaluate(plain, environment)[0].values == std::vector<double>{-1, -2});
}

TEST_CASE("order and readers") {
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2}), y = variable(g, "y", {2});
    NodeId a = elementwise(g, Primitive::negate, {x}), b = elementwise(g, Primitive::abs, {x});
    NodeId joined = elementwise(g, Primitive::add, {a, b}), end = elementwise(g, Primitive::multiply, {joined, y});
    NodeId dead = elementwise(g, Primitive::negate, {y});
    auto order = topological_order(g, {end});
    CHECK(order.size() == 6);
    auto place = [&](NodeId id) { return std::find(order.begin(), order.end(), id) - order.begin(); };
    for (NodeId id : order)
        for (NodeId input : g[id].inputs) CHECK(place(input) < place(id));
    auto readers = readers_of(g, a, {end});
    CHECK((readers[index(joined)] && readers[index(end)] && !readers[index(b)]));
    CHECK(!readers[index(dead)]);
}

TEST_CASE("a million nodes are built and copied in bounded time") {
    std::clock_t start = std::clock();
    Graph g(tested_primitives());
    NodeId x = variable(g, "x", {2}), y = x;
    for (int i = 0; i < 500'000; ++i) y = elementwise(g, Primitive::add, {y, build::constant(g, i, f32, {2})});
    g.outputs = {{"y", y}};
    CHECK(g.size() > 1'000'000);
    CHECK(rebuild(g, {}).size() == g.size());
    double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
    CHECK(seconds < 30);
}

TEST_CASE("random graphs are valid and the same for the same seed") {
    std::vector<int> seen(size_t(Op::assign) + 1, 0);
    for (uint64_t seed = 0; seed < 100; ++seed) {
        INFO("seed " << seed);
        Graph g = random_graph(seed, tested_primitives());
        CHECK(verify(g).empty());
        CHECK(same_graph(g, random_graph(seed, tested_primitives())));
        for (uint32_t i = 0; i < g.size(); ++i) ++seen[size_t(g[NodeId{i}].op)];
        for (const Tensor& value : evaluate(g, random_environment(g, seed, 3)))
            for (double number : value.values) REQUIRE(std::abs(number) < 1e6);
    }
    for (size_t op = 0; op < seen.size(); ++op)
        if (Op(op) != Op::custom_gradient) CHECK(seen[op] > 0);
}
