// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formulas of a whole split, computed over batches of several sizes, are equal to the same formulas over all rows at
// once.
#include "compiler/dataset/whole_split.h"
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace gradc;

namespace {

struct Formulas {
    std::shared_ptr<PrimitiveTable> table = std::make_shared<PrimitiveTable>();
    Graph graph{table};
    NodeId y = field("y", {Dtype::f32, {rows}}), x = field("x", {Dtype::f32, {rows, 3}});
    NodeId label = field("label", {Dtype::i32, {rows}});

    NodeId field(const char* name, Type type) {
        return graph.add(Op::input, type, {}, Input{Input::Source::field, name, 0, -1});
    }
    NodeId count() { return build::cast(graph, build::scalar_input(graph, "rows", Dtype::i64), Dtype::f32); }
    NodeId apply(Primitive primitive, std::vector<NodeId> inputs) {
        return build::elementwise(graph, primitive, inputs);
    }
    NodeId mean(NodeId v) { return apply(Primitive::divide, {build::sum(graph, v, {0}), count()}); }
    NodeId square(NodeId v) { return apply(Primitive::multiply, {v, v}); }
    NodeId spread(NodeId v) { // sum((v - mean(v))^2)
        NodeId centre = build::broadcast_to(graph, mean(v), graph.type(v).shape);
        return build::sum(graph, square(apply(Primitive::subtract, {v, centre})), {0});
    }
};

struct Data {
    std::vector<double> x, y, label;
    explicit Data(int64_t n) {
        std::mt19937 random(5);
        std::normal_distribution<double> normal(-40, 1);
        for (int64_t i = 0; i < n; ++i) {
            y.push_back(normal(random));
            label.push_back(double(random() % 4));
            for (int k = 0; k < 3; ++k) x.push_back(normal(random) * (k + 1));
        }
    }
    Environment rows(int64_t from, int64_t to) const {
        Environment e;
        e.rows = to - from;
        e.fields["x"] = {{to - from, 3}, {x.begin() + from * 3, x.begin() + to * 3}};
        e.fields["y"] = {{to - from}, {y.begin() + from, y.begin() + to}};
        e.fields["label"] = {{to - from}, {label.begin() + from, label.begin() + to}};
        return e;
    }
};

/// What the trainer does: zeroed accumulators, each pass over all batches, finish once.
std::vector<Tensor> over_batches(const SplitFormulas& split, const Data& data, int64_t n, int64_t batch) {
    std::unordered_map<std::string, Tensor> variables;
    for (const Variable& v : split.accumulators)
        variables[v.path] = {v.type.shape, std::vector<double>(size_t(gradc::count(v.type.shape, 1)), 0.0)};
    for (const Graph& pass : split.split.passes)
        for (int64_t from = 0; from < n; from += batch) {
            Environment e = data.rows(from, std::min(n, from + batch));
            e.variables = variables;
            auto values = evaluate(pass, e);
            for (size_t i = 0; i < values.size(); ++i) variables[pass.outputs[i].name] = values[i];
        }
    Environment e;
    e.variables = variables;
    return evaluate(split.split.finish, e);
}

} // namespace

TEST_CASE("formulas of a split are joined across its batches") {
    Formulas f;
    Graph& g = f.graph;
    NodeId ones = build::constant(g, 1, Dtype::f32, {rows});
    NodeId hits =
        build::sum(g, build::cast(g, build::elementwise(g, Primitive::less, {f.y, f.mean(f.y)}), Dtype::i32), {0});
    Contract product{{0, 1}, {0, 2}, {1, 2}};
    NodeId table = build::contract(g, f.x, f.x, product);
    NodeId counts = build::scatter(g, ones, f.label, Gather{0, 0}, {4});
    NodeId largest = build::max_of(g, f.y, {0});
    NodeId above = build::max_of(g, f.apply(Primitive::subtract, {f.y, f.mean(f.y)}), {0});
    NodeId r2 = f.apply(Primitive::divide, {f.spread(f.y), f.spread(build::slice(g, build::reshape(g, f.x, {rows, 3}),
                                                                                 {0, 0}, {1, 1}, {rows, 1}))});
    g.outputs = {{"mean", f.mean(f.x)}, {"hits", hits},   {"table", table}, {"counts", counts},
                 {"largest", largest},  {"above", above}, {"r2", r2},       {"rows", f.count()}};
    WholeSplitRequest request{"test", {}, g.outputs, false, 0};
    auto split = split_formulas(g, request);
    REQUIRE(split.problems.empty());
    CHECK(split.split.passes.size() == 2);
    Data data(23);
    auto want = evaluate(g, data.rows(0, 23));
    for (int64_t batch : {1, 4, 23, 40}) {
        auto got = over_batches(split, data, 23, batch);
        REQUIRE(got.size() == want.size());
        for (size_t i = 0; i < want.size(); ++i) {
            REQUIRE(got[i].shape == want[i].shape);
            for (size_t k = 0; k < want[i].values.size(); ++k) {
                INFO(g.outputs[i].name << " with batches of " << batch);
                CHECK(got[i].values[k] == Approx(want[i].values[k]).epsilon(1e-12));
            }
        }
    }
}

TEST_CASE("means of batches are weighted by rows; formulas of one pass are available alone") {
    Formulas f;
    NodeId loss = f.mean(f.square(f.y)), two = f.spread(f.y), one = f.mean(f.y);
    WholeSplitRequest request{"train", {{"loss", loss}}, {{"two", two}, {"one", one}}, true, 0};
    auto split = split_formulas(f.graph, request);
    REQUIRE(split.split.finish.outputs.size() == 2);
    CHECK(split.split.finish.outputs[1].name == "one");
    CHECK(split.split.passes.size() == 1);
    Data data(10);
    double sum = 0;
    for (double y : data.y) sum += y * y / 10;
    for (int64_t batch : {3, 10})
        CHECK(over_batches(split, data, 10, batch)[0].values[0] == Approx(sum).epsilon(1e-12));
}

TEST_CASE("a formula that pairs rows, or keeps a value for each row, is refused for a split") {
    Formulas f;
    NodeId pairs = build::contract(f.graph, f.x, f.x, Contract{{0, 2}, {1, 2}, {0, 1}});
    NodeId number = build::iota(f.graph, {rows}, 0);
    std::vector<Output> formulas = {
        {"pairs", build::sum(f.graph, pairs, {0, 1})}, {"number", build::sum(f.graph, number, {0})}, {"each", f.y}};
    auto split = split_formulas(f.graph, {"test", {}, formulas, false, 0});
    REQUIRE(split.problems.size() == 3);
    CHECK(split.problems[0].reason == "rows are paired with rows");
    CHECK(split.problems[1].node == number);
    CHECK(split.problems[2].reason == "it has a value for each row");
    CHECK(split.split.finish.outputs.empty());
}
