// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small graphs of every kind of kernel: the lowered program computes the evaluator's values.
#include "compiler/graph/build.h"
#include "tests/support/agreement.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

struct Builder {
    Graph graph{std::make_shared<PrimitiveTable>()};
    Environment environment;
    int drawn = 0;

    Tensor tensor(const Shape& shape) {
        Shape numbers = shape;
        for (int64_t& size : numbers)
            if (size == rows) size = environment.rows;
        Tensor result{numbers, {}};
        for (int64_t i = 0; i < count(numbers, 1); ++i) {
            drawn = (drawn * 37 + 11) % 101;
            result.values.push_back((drawn - 50) / 32.0);
        }
        return result;
    }
    NodeId field(const std::string& name, Shape shape, Dtype dtype = Dtype::f32) {
        environment.fields[name] = tensor(shape);
        return graph.add(Op::input, {dtype, shape}, {}, Input{Input::Source::field, name, 0, -1});
    }
    NodeId lookup(const std::string& name, Shape shape, int64_t size) {
        Tensor numbers = tensor(shape);
        for (size_t i = 0; i < numbers.values.size(); ++i) numbers.values[i] = double((i * 7 + 3) % size_t(size));
        environment.fields[name] = numbers;
        return graph.add(Op::input, {Dtype::i32, shape}, {}, Input{Input::Source::field, name, 0, size - 1});
    }
    NodeId variable(const std::string& path, Shape shape, Dtype dtype = Dtype::f32) {
        environment.variables[path] = tensor(shape);
        return build::variable(graph, path, {dtype, shape});
    }
    void output(NodeId node, const std::string& name = "out") { graph.outputs.push_back({name, node}); }
    void assign(const std::string& path, NodeId value) {
        graph.outputs.push_back({path, build::assign(graph, path, value)});
    }
    std::string error(AgreementOptions options = {}) {
        options.rows = environment.rows;
        options.batch = std::max(options.batch, options.rows);
        return disagreement(graph, environment, options);
    }
};

Builder with_rows(int64_t count) {
    Builder b;
    b.environment.rows = count;
    return b;
}

} // namespace

TEST_CASE("elementwise nodes with broadcasts, with any number of rows") {
    for (int64_t n : {1, 2, 3, 4}) {
        Builder b = with_rows(n);
        NodeId x = b.field("x", {rows, 19}), w = b.variable("w", {19});
        NodeId y = build::elementwise(b.graph, Primitive::add, {x, w});
        b.output(build::elementwise(b.graph, Primitive::maximum, {y, build::constant(b.graph, 0)}));
        b.output(build::elementwise(b.graph, Primitive::multiply, {y, y}), "square");
        CHECK(b.error() == "");
    }
}

TEST_CASE("sums over rows, columns, everything") {
    for (int64_t n : {1, 3, 7}) {
        Builder b = with_rows(n);
        NodeId x = b.field("x", {rows, 37});
        b.output(build::sum(b.graph, x, {0}), "columns");
        b.output(build::sum(b.graph, x, {1}), "rows");
        b.output(build::sum(b.graph, x, {0, 1}), "all");
        b.output(build::max_of(b.graph, x, {1}), "largest");
        b.output(build::max_of(b.graph, x, {0}), "largest0");
        CHECK(b.error() == "");
        CHECK(b.error({.batch = 9, .pieces = 3}) == "");
    }
}

TEST_CASE("a softmax is one pass over rows") {
    Builder b = with_rows(3);
    NodeId x = b.field("x", {rows, 10});
    NodeId top = build::broadcast(b.graph, build::max_of(b.graph, x, {1}), {rows, 10}, {0});
    NodeId e = build::elementwise(b.graph, Primitive::subtract, {x, top});
    e = build::elementwise(b.graph, Primitive::multiply, {e, e});
    NodeId s = build::broadcast(b.graph, build::sum(b.graph, e, {1}), {rows, 10}, {0});
    b.output(build::elementwise(b.graph, Primitive::divide, {e, s}));
    CHECK(b.error() == "");
    CHECK(b.error({.pieces = 2}) == "");
    Plan plan = make_plan({{"p", b.graph}}, {"m", 4});
    CHECK(plan.programs[0].kernels.size() == 1);
}

TEST_CASE("products in every form") {
    auto product = [](int64_t m, int64_t k, int64_t n, std::vector<int> left, std::vector<int> right, bool by_rows) {
        Builder b = with_rows(by_rows ? m : 1);
        auto size = [&](int label) { return label == 0 ? (by_rows ? rows : m) : label == 1 ? k : n; };
        NodeId x = b.field("x", {size(left[0]), size(left[1])}), w = b.field("w", {size(right[0]), size(right[1])});
        b.output(build::contract(b.graph, x, w, {left, right, {0, 2}}));
        return b.error();
    };
    for (auto [m, k, n] :
         std::vector<std::array<int64_t, 3>>{{5, 17, 33}, {26, 30, 70}, {8, 40, 48}, {50, 3, 100}, {1, 9, 64}})
        for (bool by_rows : {false, true}) {
            INFO(m << " " << k << " " << n << " " << by_rows);
            CHECK(product(m, k, n, {0, 1}, {1, 2}, by_rows) == "");
            CHECK(product(m, k, n, {1, 0}, {1, 2}, false) == "");
            CHECK(product(m, k, n, {0, 1}, {2, 1}, by_rows) == "");
            CHECK(product(m, k, n, {1, 0}, {2, 1}, false) == "");
        }
}

TEST_CASE("products of vectors, batches, several labels") {
    Builder b = with_rows(3);
    NodeId x = b.field("x", {rows, 6, 40}), y = b.field("y", {rows, 40, 21}), v = b.field("v", {40});
    NodeId big = b.field("big", {rows, 6, 40});
    b.output(build::contract(b.graph, x, y, {{0, 1, 2}, {0, 2, 3}, {0, 1, 3}}), "batched");
    b.output(build::contract(b.graph, x, big, {{0, 1, 2}, {0, 3, 2}, {0, 1, 3}}), "scores");
    b.output(build::contract(b.graph, x, v, {{0, 1, 2}, {2}, {0, 1}}), "vector");
    b.output(build::contract(b.graph, v, v, {{0}, {0}, {}}), "dot");
    b.output(build::contract(b.graph, x, big, {{0, 1, 2}, {0, 1, 3}, {2, 3}}), "two");
    b.output(build::contract(b.graph, v, v, {{0}, {1}, {0, 1}}), "outer");
    b.output(build::contract(b.graph, x, x, {{0, 1, 2}, {0, 1, 2}, {0}}), "squares");
    CHECK(b.error() == "");
    CHECK(b.error({.pieces = 3}) == "");
}

TEST_CASE("elementwise work on a product's operands and result") {
    Builder b = with_rows(30);
    NodeId x = b.field("x", {rows, 20}), w = b.variable("w", {20, 50}), c = b.variable("c", {50});
    NodeId z =
        build::elementwise(b.graph, Primitive::add, {build::contract(b.graph, x, w, {{0, 1}, {1, 2}, {0, 2}}), c});
    NodeId zero = build::constant(b.graph, 0);
    b.output(build::elementwise(b.graph, Primitive::maximum, {z, zero}), "h");
    b.output(build::elementwise(b.graph, Primitive::less, {zero, z}), "on");
    CHECK(b.error() == "");
    CHECK(b.error({.fuse = false}) == "");
    Plan plan = make_plan({{"p", b.graph}}, {"m", 32});
    CHECK(plan.programs[0].kernels.size() == 1);
}

TEST_CASE("an optimizer is fused with the gradient's product and updates in place") {
    Builder b = with_rows(7);
    NodeId x = b.field("x", {rows, 48}), d = b.field("d", {rows, 40});
    NodeId w = b.variable("w", {48, 40}), m = b.variable("m", {48, 40});
    NodeId loss = build::sum(b.graph, build::contract(b.graph, x, w, {{0, 1}, {1, 2}, {0, 2}}), {0, 1});
    NodeId g = build::contract(b.graph, x, d, {{0, 1}, {0, 2}, {1, 2}});
    NodeId rate = build::constant(b.graph, 0.5);
    NodeId m2 =
        build::elementwise(b.graph, Primitive::add, {build::elementwise(b.graph, Primitive::multiply, {m, rate}), g});
    NodeId w2 = build::elementwise(b.graph, Primitive::subtract,
                                   {w, build::elementwise(b.graph, Primitive::multiply, {m2, rate})});
    b.output(loss, "loss");
    b.assign("m", m2);
    b.assign("w", w2);
    CHECK(b.error({.batch = 8}) == "");
    CHECK(b.error({.batch = 8, .fuse = false}) == "");
    Plan plan = make_plan({{"p", b.graph}}, {"m", 8});
    CHECK(plan.programs[0].kernels.size() == 3); // product, sum, update
    CHECK(plan.programs[0].table.size() == 4);   // and the guard
    CHECK(plan.programs[0].table[2].kind == loop::Step::Kind::guard);
}

TEST_CASE("variables that exchange their values") {
    Builder b;
    NodeId u = b.variable("u", {40}), v = b.variable("v", {40});
    NodeId turned = build::slice(b.graph, u, {39}, {-1}, {40});
    b.output(build::sum(b.graph, u, {0}), "loss");
    b.assign("u", v);
    b.assign("v", build::elementwise(b.graph, Primitive::add, {turned, u}));
    CHECK(b.error() == "");
    CHECK(b.error({.fuse = false}) == "");
}

TEST_CASE("moves") {
    Builder b = with_rows(3);
    NodeId x = b.field("x", {rows, 6, 35});
    b.output(build::permute(b.graph, x, {2, 0, 1}), "permuted");
    b.output(build::reshape(b.graph, x, {rows, 7, 30}), "reshaped");
    b.output(build::reshape(b.graph, build::permute(b.graph, x, {0, 2, 1}), {rows, 210}), "mixed");
    b.output(build::slice(b.graph, x, {0, 5, 2}, {1, -2, 3}, {rows, 3, 11}), "sliced");
    b.output(build::pad(b.graph, x, {0, 2, 3}, {rows, 9, 50}, 1.5), "padded");
    b.output(build::concat(b.graph, {x, x}, 2), "joined");
    NodeId windowed = build::window(b.graph, x, {2, 2, 3}, 10, 4);
    b.output(windowed, "windowed");
    b.output(build::fold(b.graph, windowed, {2, 2, 3}, 35), "folded");
    b.output(build::iota(b.graph, {5, 20}, 1), "counted");
    CHECK(b.error() == "");
    CHECK(b.error({.fuse = false}) == "");
}

TEST_CASE("lookups and their adjoints") {
    Builder b = with_rows(3);
    NodeId table = b.variable("t", {11, 20}), at = b.lookup("i", {rows, 4}, 11), label = b.lookup("l", {rows}, 20);
    NodeId looked = build::gather(b.graph, table, at, {0, 0});
    NodeId x = b.field("x", {rows, 20});
    NodeId picked = build::gather(b.graph, x, label, {1, 1});
    b.output(looked, "rows");
    b.output(picked, "labels");
    b.output(build::gather(b.graph, table, label, {1, 0}), "columns");
    b.output(build::scatter(b.graph, looked, at, {0, 0}, {11, 20}), "sums");
    b.output(build::scatter(b.graph, picked, label, {1, 1}, {rows, 20}), "one_hot");
    CHECK(b.error() == "");
}

TEST_CASE("a convolution is a product on windows") {
    Builder b = with_rows(2);
    NodeId x = b.field("x", {rows, 8, 8, 3}), w = b.variable("w", {3, 3, 3, 20});
    NodeId p = build::pad(b.graph, x, {0, 1, 1, 0}, {rows, 10, 10, 3}, 0);
    NodeId views = build::window(b.graph, build::window(b.graph, p, {1, 1, 1}, 8, 3), {3, 1, 1}, 8, 3);
    NodeId y = build::contract(b.graph, views, w, {{0, 1, 2, 3, 4, 5}, {2, 4, 5, 6}, {0, 1, 3, 6}});
    b.output(y, "y");
    NodeId g = build::contract(b.graph, views, y, {{0, 1, 2, 3, 4, 5}, {0, 1, 3, 6}, {2, 4, 5, 6}});
    b.output(g, "g");
    CHECK(b.error({.tolerance = 2e-5}) == "");
}

TEST_CASE("integers, bytes and bool") {
    Builder b = with_rows(3);
    NodeId i = b.lookup("i", {rows, 21}, 50), j = b.lookup("j", {21}, 9);
    NodeId one = build::constant(b.graph, 1, Dtype::i32);
    NodeId d = build::elementwise(b.graph, Primitive::add, {j, one});
    b.output(build::elementwise(b.graph, Primitive::remainder, {i, d}), "rest");
    b.output(build::elementwise(b.graph, Primitive::quotient, {i, d}), "whole");
    NodeId odd = build::elementwise(b.graph, Primitive::less, {d, i});
    b.output(odd, "odd");
    b.output(build::elementwise(b.graph, Primitive::logical_not, {odd}), "even");
    b.output(build::sum(b.graph, build::cast(b.graph, odd, Dtype::i32), {0}), "count");
    b.output(build::cast(b.graph, i, Dtype::u8), "bytes");
    b.output(build::max_of(b.graph, i, {1}), "largest");
    CHECK(b.error() == "");
}

TEST_CASE("double precision") {
    Builder b = with_rows(5);
    NodeId x = b.field("x", {rows, 20}, Dtype::f64), w = b.variable("w", {20, 30}, Dtype::f64);
    NodeId y = build::contract(b.graph, x, w, {{0, 1}, {1, 2}, {0, 2}});
    b.output(y, "y");
    b.output(build::cast(b.graph, y, Dtype::f32), "single");
    b.output(build::sum(b.graph, y, {1}), "rows");
    CHECK(b.error({.batch = 5, .tolerance = 1e-7}) == "");
}

TEST_CASE("a loop of the table counts its work in each iteration") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = graph.add(Op::input, {Dtype::f32, {rows, 9}}, {}, Input{Input::Source::field, "x", 0, -1});
    Graph body(graph.shared_primitives());
    NodeId carry = body.add(Op::input, {Dtype::f32, {rows}}, {}, Input{Input::Source::carry, "0", 0, -1});
    NodeId all = body.add(Op::input, {Dtype::f32, {rows, 9}}, {}, Input{Input::Source::capture, "0", 0, -1});
    NodeId iteration = body.add(Op::input, {Dtype::i32, {}}, {}, Input{Input::Source::iteration, "iteration", 0, 8});
    NodeId sum = build::elementwise(body, Primitive::add, {carry, build::gather(body, all, iteration, {1, 0})});
    body.outputs = {{"", sum}};
    NodeId zeros = build::constant(graph, 0, Dtype::f32, {rows});
    graph.outputs = {{"last", build::scan(graph, std::move(body), {zeros}, {x}, 9, false)[0]}};
    loop::Module module = lower(make_plan({{"p", graph}}, {"m", 4}), {loop::Isa::baseline}, NoMath());
    const loop::Program& program = *module.programs[0][0];
    double once = 0, inside = 0;
    for (size_t i = 0, depth = 0; i < program.table.size(); ++i) {
        depth += program.table[i].kind == loop::Step::Kind::loop_begin;
        depth -= program.table[i].kind == loop::Step::Kind::loop_end;
        if (program.table[i].kind == loop::Step::Kind::kernel)
            (depth ? inside : once) += program.kernels[program.table[i].kernel].flops;
    }
    CHECK(inside >= 4);
    CHECK(program.flops == once + 9 * inside);
    for (const loop::Kernel& kernel : program.kernels) CHECK(kernel.bytes >= 16);
}
