// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of products in the cheapest order: before and after as text, and random chains compared with the evaluator.
#include "compiler/graph/build.h"
#include "compiler/graph/print.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/verify.h"
#include "compiler/optimize/passes.h"
#include "compiler/optimize/product_order.h"
#include "tests/support/random_graph.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace gradc;

namespace {

Graph read(const std::string& text) {
    std::string error;
    auto graph = parse_graph("graph 1\n" + text, std::make_shared<PrimitiveTable>(), error);
    INFO(error);
    REQUIRE(graph);
    return *std::move(graph);
}

std::string collapsed(const std::string& text, int64_t batch) {
    PassContext context;
    context.batch = batch;
    return print(collapse_linear_maps(read(text), context));
}

/// Multiply-adds of all contractions that the outputs reach.
double work(const Graph& graph, int64_t batch) {
    std::vector<NodeId> roots;
    for (const Output& output : graph.outputs) roots.push_back(output.node);
    double total = 0;
    for (NodeId id : reachable(graph, roots)) {
        if (graph[id].op != Op::contract) continue;
        const auto& labels = attribute<Contract>(graph[id]);
        std::map<int, int64_t> sizes;
        for (size_t i = 0; i < labels.left.size(); ++i)
            sizes[labels.left[i]] = graph.type(graph[id].inputs[0]).shape[i];
        for (size_t i = 0; i < labels.right.size(); ++i)
            sizes[labels.right[i]] = graph.type(graph[id].inputs[1]).shape[i];
        double volume = 1;
        for (auto [label, size] : sizes) volume *= double(size == rows ? batch : size);
        total += volume;
    }
    return total;
}

constexpr const char* two_layers = R"(%0 = input field "x" : f32[N, 64]
%1 = variable "a" : f32[64, 32]
%2 = variable "p" : f32[32]
%3 = variable "b" : f32[32, 10]
%4 = variable "q" : f32[10]
%5 = contract [0, 1] [1, 2] [0, 2] %0 %1 : f32[N, 32]
%6 = broadcast [1] %2 : f32[N, 32]
%7 = elementwise add %5 %6 : f32[N, 32]
%8 = contract [0, 1] [1, 2] [0, 2] %7 %3 : f32[N, 10]
%9 = broadcast [1] %4 : f32[N, 10]
%10 = elementwise add %8 %9 : f32[N, 10]
output y = %10
)";

/// A deep linear net of random widths; some layers have biases, some products stand the other way
/// round.
Graph random_net(uint64_t seed, int layers) {
    std::mt19937_64 random(seed);
    auto below = [&](uint64_t bound) { return int64_t(random() % bound); };
    Graph graph(std::make_shared<PrimitiveTable>());
    int64_t width = 1 + below(9);
    Input x{Input::Source::field, "x0"};
    NodeId value = graph.add(Op::input, {Dtype::f32, {rows, width}}, {}, x);
    for (int i = 0; i < layers; ++i) {
        int64_t next = 1 + below(9);
        std::string number = std::to_string(i);
        NodeId weight = build::variable(graph, "w" + number, {Dtype::f32, {width, next}});
        bool turned = below(3) == 0;
        value = turned ? build::contract(graph, weight, value, {{5, 7}, {2, 5}, {2, 7}})
                       : build::contract(graph, value, weight, {{0, 1}, {1, 2}, {0, 2}});
        if (below(2)) {
            NodeId bias = build::variable(graph, "b" + number, {Dtype::f32, {next}});
            NodeId spread = build::broadcast(graph, bias, graph.type(value).shape, {1});
            value = turned ? build::elementwise(graph, Primitive::add, {spread, value})
                           : build::elementwise(graph, Primitive::add, {value, spread});
        }
        if (below(5) == 0) graph.outputs.push_back({"inner" + number, value}); // read twice: the chain ends here
        width = next;
    }
    graph.outputs.push_back({"y", value});
    return graph;
}

} // namespace

TEST_CASE("a net of linear layers becomes one matrix and one bias") {
    CHECK(collapsed(two_layers, 100) == R"(graph 1
%0 = input field "x" : f32[N, 64]
%1 = variable "a" : f32[64, 32]
%2 = variable "p" : f32[32]
%3 = variable "b" : f32[32, 10]
%4 = variable "q" : f32[10]
%5 = contract [0, 1] [1, 2] [0, 2] %1 %3 : f32[64, 10]
%6 = contract [0, 1] [1, 2] [0, 2] %0 %5 : f32[N, 10]
%7 = contract [0] [0, 1] [1] %2 %3 : f32[10]
%8 = elementwise add %7 %4 : f32[10]
%9 = broadcast [1] %8 : f32[N, 10]
%10 = elementwise add %6 %9 : f32[N, 10]
output y = %10
)");
}

TEST_CASE("a chain is unchanged if another order saves nothing") {
    std::string written = print(read(two_layers));
    CHECK(collapsed(two_layers, 2) ==
          written); // two rows through both layers cost less than the product of the weights
    CHECK(collapsed(two_layers, 8) == written);
    CHECK(collapsed(two_layers, 16) != written);
}

TEST_CASE("nodes with two readers or nonlinear functions end a chain") {
    std::string text = two_layers;
    std::string twice = text + "output h = %7\n";
    CHECK(collapsed(twice, 100) == print(read(twice)));
    std::string bent = text;
    bent.replace(bent.find("elementwise add %5 %6"), 21, "elementwise maximum %5 %6");
    CHECK(collapsed(bent, 100) == print(read(bent)));
}

TEST_CASE("orders of products are the cheapest ones") {
    LabelSizes sizes{{{0, 100}, {1, 2}, {2, 50}, {3, 3}}, {0}};
    ProductOrder order = cheapest_order({{0, 1}, {1, 2}, {2, 3}}, {0, 3}, sizes);
    CHECK(order.cost == 2 * 50 * 3 + 100 * 2 * 3);
    REQUIRE(order.steps.size() == 2);
    CHECK(order.steps[0].out == Labels{1, 3});
    // ten operands exactly, eleven by the cheapest pair: matrices in a row with a vector at the end
    for (int links : {10, 11}) {
        LabelSizes chain;
        std::vector<Labels> operands;
        for (int i = 0; i < links; ++i) operands.push_back({i, i + 1});
        for (int i = 0; i < links; ++i) chain.of[i] = 40;
        chain.of[links] = 1;
        ProductOrder found = cheapest_order(operands, {0, links}, chain);
        CHECK(found.steps.size() == size_t(links - 1));
        CHECK(found.cost == 40. * 40 * (links - 1));
    }
}

TEST_CASE("random nets of linear layers keep their values and never cost more") {
    int changed = 0;
    for (uint64_t seed = 1; seed <= 400; ++seed) {
        Graph graph = random_net(seed, 2 + int(seed % 12));
        PassContext context;
        context.batch = int64_t(1) << seed % 7;
        Graph after = collapse_linear_maps(graph, context);
        INFO("seed " << seed << "\n" << print(graph) << print(after));
        REQUIRE(verify(after) == "");
        CHECK(work(after, context.batch) <= work(graph, context.batch));
        changed += print(after) != print(extract(graph, graph.outputs));
        Environment environment = random_environment(graph, seed, context.batch);
        std::vector<Tensor> expected = evaluate(graph, environment), found = evaluate(after, environment);
        REQUIRE(found.size() == expected.size());
        for (size_t i = 0; i < found.size(); ++i) {
            REQUIRE(found[i].shape == expected[i].shape);
            for (size_t k = 0; k < found[i].values.size(); ++k)
                REQUIRE(std::fabs(found[i].values[k] - expected[i].values[k]) <=
                        1e-9 * (1 + std::fabs(expected[i].values[k])));
        }
    }
    CHECK(changed > 100);
}
