// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The text of graphs, printed and parsed; DOT; formulas.
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include "compiler/graph/print.h"
#include "compiler/graph/scan.h"
#include "tests/support/derivatives.h"
#include "tests/support/random_graph.h"
#include <catch2/catch.hpp>
#include <limits>
#include <random>

using namespace gradc;
using build::elementwise;

namespace {

Graph sample() {
    Graph g(tested_primitives());
    NodeId x = g.add(Op::input, {Dtype::f32, {rows, 3}}, {}, Input{Input::Source::field, "image", 0, -1});
    NodeId w = build::variable(g, "mlp.linear_1.weight", {Dtype::f32, {3, 2}});
    g.name_node(w, "mlp.linear_1.weight");
    NodeId h = build::contract(g, x, w, {{0, 1}, {1, 2}, {0, 2}});
    g.name_node(h, "h");
    NodeId y = elementwise(g, Primitive::maximum,
                           {elementwise(g, Primitive::add, {h, build::constant(g, -0.5)}), build::constant(g, 0)});
    build::constant(g, 99); // dead
    g.outputs = {{"y", y}, {"a \"quoted\" name", h}};
    return g;
}

std::string reread(const std::string& text) {
    std::string error;
    auto graph = parse_graph(text, tested_primitives(), error);
    INFO(text);
    INFO(error);
    REQUIRE(graph);
    return print(*graph);
}

std::string refusal(const std::string& text) {
    std::string error;
    CHECK_FALSE(parse_graph(text, tested_primitives(), error));
    return error;
}

} // namespace

TEST_CASE("the text of a graph") {
    CHECK(print(sample()) == R"(graph 1
%0 = input field "image" : f32[N, 3]
%1 = variable "mlp.linear_1.weight" : f32[3, 2]  # mlp.linear_1.weight
%2 = contract [0, 1] [1, 2] [0, 2] %0 %1 : f32[N, 2]  # h
%3 = constant -0.5 : f32
%4 = broadcast [] %3 : f32[N, 2]
%5 = elementwise add %2 %4 : f32[N, 2]
%6 = constant 0 : f32
%7 = broadcast [] %6 : f32[N, 2]
%8 = elementwise maximum %5 %7 : f32[N, 2]
output y = %8
output "a \"quoted\" name" = %2
)");
}

TEST_CASE("the text without names is the same for other names of variables, fields, values and results") {
    std::map<std::string, size_t> numbers, others;
    Graph g = sample(), renamed(tested_primitives());
    NodeId x = renamed.add(Op::input, {Dtype::f32, {rows, 3}}, {}, Input{Input::Source::field, "picture", 0, -1});
    NodeId w = build::variable(renamed, "w", {Dtype::f32, {3, 2}});
    NodeId h = build::contract(renamed, x, w, {{0, 1}, {1, 2}, {0, 2}});
    NodeId sum = elementwise(renamed, Primitive::add, {h, build::constant(renamed, -0.5)});
    renamed.outputs = {{"z", elementwise(renamed, Primitive::maximum, {sum, build::constant(renamed, 0)})}, {"h", h}};
    CHECK(print_unnamed(renamed, others) == print_unnamed(g, numbers));
    CHECK(print_unnamed(g, numbers).starts_with("%0 = input field 0 : f32[N, 3]\n%1 = variable 1 : f32[3, 2]\n"));
    CHECK(others.at("w") == numbers.at("mlp.linear_1.weight"));
    std::swap(renamed.outputs[0], renamed.outputs[1]);
    CHECK(print_unnamed(renamed, others) != print_unnamed(g, numbers));
}

TEST_CASE("the text reads back, for random graphs with loops too") {
    CHECK(reread(print(sample())) == print(sample()));
    for (uint64_t seed = 0; seed < 60; ++seed) {
        INFO("seed " << seed);
        Graph g = random_graph(seed, tested_primitives());
        std::string text = print(g), error;
        auto back = parse_graph(text, tested_primitives(), error);
        INFO(error);
        REQUIRE(back);
        CHECK(print(*back) == text);
        Environment environment = random_environment(g, seed, 2);
        auto a = evaluate(g, environment), b = evaluate(*back, environment);
        for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].values == b[i].values);
    }
}

TEST_CASE("special numbers and names are printed and parsed without change") {
    Graph g(tested_primitives());
    double infinity = std::numeric_limits<double>::infinity();
    std::vector<double> odd{infinity, -infinity,          std::numeric_limits<double>::quiet_NaN(), -0.0, 0.1,
                            1e-310,   123456789012345678.};
    NodeId x = build::constant(g, odd, {Dtype::f64, {7}});
    g.name_node(x, "new\nline\x01");
    g.outputs = {{"", x}};
    CHECK(reread(print(g)) == print(g));
}

TEST_CASE("an invalid text is refused with its line") {
    std::string good = print(sample());
    CHECK(refusal("") == "line 0: a graph starts with `graph 1`");
    CHECK(refusal("graph 2\n") == "line 1: this text has format 2; this program reads format 1");
    CHECK(refusal("graph 1\n%0 = nothing : f32\n") == "line 2: no op is called nothing");
    CHECK(refusal("graph 1\n%0 = elementwise sine %1 : f32\n") == "line 2: no primitive is called sine");
    CHECK(refusal("graph 1\n%1 = cast %0 : f32\n") == "line 2: no node %0 stands before");
    CHECK(refusal("graph 1\n%0 = constant 1 : f32[0]\n") == "line 2: sizes start at 1");
    CHECK(refusal("graph 1\n%0 = constant 1 : f32\n%0 = constant 2 : f32\n") == "line 3: %0 stands twice");
    CHECK(refusal("graph 1\nbody 0 {\n").find("does not end") != std::string::npos);
    CHECK(refusal("graph 1\n}\n").find("without its body") != std::string::npos);
    CHECK(refusal("graph 1\n%0 = constant [1, 2] : f32[3]\n").find("one value or one for each") != std::string::npos);
    CHECK(refusal("graph 1\n%0 = constant 1 : f32[9223372036854775807, 9]\n").find("2^63") != std::string::npos);
    std::string deep = "graph 1\n";
    for (int i = 0; i < 100'000; ++i) deep += "body 0 {\n";
    CHECK(refusal(deep).find("bodies within bodies") != std::string::npos);
}

TEST_CASE("texts with random damage are parsed or refused") {
    std::mt19937 chance(3);
    int refused = 0;
    for (uint64_t seed = 0; seed < 20; ++seed) {
        std::string text = print(random_graph(seed, tested_primitives()));
        for (int iteration = 0; iteration < 40; ++iteration) {
            std::string damaged = text;
            for (uint32_t i = 0; i < 1 + chance() % 4; ++i) {
                size_t at = chance() % damaged.size();
                switch (chance() % 3) {
                case 0: damaged[at] = char(32 + chance() % 95); break;
                case 1: damaged.erase(at, 1 + chance() % 8); break;
                default: damaged.insert(at, 1, char('0' + chance() % 10)); break;
                }
            }
            std::string error;
            auto graph = parse_graph(damaged, tested_primitives(), error);
            refused += !graph;
            CHECK(graph.has_value() == error.empty());
        }
    }
    CHECK(refused > 100);
}

TEST_CASE("a graph as DOT") {
    std::string dot = print_dot(sample());
    CHECK(dot.find("digraph") == 0);
    CHECK(dot.find("h = contract\\nf32[N, 2]") != std::string::npos);
    CHECK(dot.find("0->2") != std::string::npos);
    CHECK(dot.find("99") == std::string::npos); // the dead node
}

TEST_CASE("formulas of nodes") {
    Graph g(tested_primitives());
    NodeId a = build::variable(g, "a", {Dtype::f32, {2}}), b = build::variable(g, "b", {Dtype::f32, {2}});
    NodeId h = elementwise(g, Primitive::add, {a, b});
    CHECK(formula(g, h) == "a + b");
    NodeId two = build::constant(g, 2);
    NodeId scaled = elementwise(g, Primitive::multiply, {h, two});
    CHECK(formula(g, scaled) == "(a + b) * 2");
    CHECK(formula(g, elementwise(g, Primitive::subtract, {a, elementwise(g, Primitive::subtract, {b, a})})) ==
          "a - (b - a)");
    g.name_node(h, "h");
    CHECK(formula(g, scaled) == "h * 2");
    CHECK(formula(g, elementwise(g, *g.primitives().find("exp"), {elementwise(g, Primitive::negate, {h})})) ==
          "exp(-h)");
    CHECK(formula(g, build::sum(g, h, {0})) == "sum[0](h)");
    CHECK(formula(g, build::contract(g, a, b, {{0}, {0}, {}})) == "sum[i](a[i] * b[i])");
}
