// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `gradc check` from the command line: models without a train block, surrogates, wrong clauses, and a table of 80
// columns.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <sstream>

using namespace end_to_end;

namespace {

constexpr const char* rows_model = "model a(x: f32[N, 4]) -> f32[N, 3] { return linear(x, 3) }\n"
                                   "model b(x: f32[N, 4]) -> f32[N, 3] { return softmax(batch_norm(linear(x, 3))) }\n";

void check_table(const std::string& text) {
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        CAPTURE(line);
        CHECK(line.size() <= 80);
    }
    CHECK(!contains(text, "error:"));
    CHECK(contains(text, "\ncolumns: "));
}

} // namespace

TEST_CASE("check of a model without a train block, on any number of rows", "[check]") {
    Scratch scratch;
    scratch.write("m.grad", rows_model);
    for (const char* batch : {"", " --batch-size 1", " --batch-size 2", " --batch-size 32", " --batch-size 300"}) {
        CAPTURE(batch);
        Outcome outcome = call(scratch, std::string("check m.grad") + batch);
        CAPTURE(outcome.out, outcome.err);
        CHECK(outcome.code == 0);
        CHECK(!contains(outcome.out, "OFF"));
        CHECK(contains(outcome.out, "a.linear_1.weight"));
        check_table(outcome.out);
    }
}

TEST_CASE("inspect, explain and grad of a model without a train block", "[check]") {
    Scratch scratch;
    scratch.write("m.grad", rows_model);
    for (const char* stage : {"forward", "backward", "graph", "plan", "program", "cpp", "llvm"}) {
        CAPTURE(stage);
        Outcome outcome = call(scratch, std::string("inspect m.grad --isa baseline --emit=") + stage);
        CHECK(outcome.code == 0);
        CHECK(contains(outcome.out, "a.linear_1.weight"));
        if (std::string(stage) != "forward") CHECK(contains(outcome.out, "d/da.linear_1.weight"));
    }
    CHECK(contains(call(scratch, "inspect m.grad --emit=dot").out, "a.linear_1.weight"));
    CHECK(contains(call(scratch, "explain m.grad a.linear_1.weight").out, "Chain rule"));
    CHECK(contains(call(scratch, "grad m.grad").out, "d/dlinear_1.bias"));
}

TEST_CASE("a table of long names fits 80 columns", "[check]") {
    Scratch scratch;
    scratch.write("m.grad", "fn a_block_of_some_depth(x) = tanh(linear(x, 3))\n"
                            "model a_network_of_some_depth(x: f32[N, 3]) { return a_block_of_some_depth(x) }\n"
                            "model b(x: f32[N, 3]) { param w: [3] = 0.5;  return x * w }\n");
    Outcome outcome = call(scratch, "check m.grad");
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "a_network_of_some_depth.a_block_of_some_depth_1.linear_1.weight\n "));
    CHECK(contains(outcome.out, "b.w  "));
    check_table(outcome.out);
}

TEST_CASE("check names a wrong clause and accepts a surrogate", "[check]") {
    Scratch scratch;
    const std::string text = "fn hard(x) = where(x > 0, 1, -1)  derivative x: g\n"
                             "model m(x: f32[N, 3]) { return mean(linear(hard(linear(x, 4)), 2)^2) }\n";
    scratch.write("wrong.grad", text);
    Outcome wrong = call(scratch, "check wrong.grad");
    CHECK(wrong.code == 1);
    CHECK(contains(wrong.out, "OFF"));
    CHECK(contains(wrong.out, "wrong.grad:1:46: error"));
    CHECK(contains(wrong.out, "the derivative of `hard` by `x`"));
    CHECK(contains(wrong.out, "1 by this clause, 0 by finite differences"));
    CHECK(contains(wrong.out, "`surrogate derivative x: g`"));

    scratch.write("right.grad", replaced(text, "derivative", "surrogate derivative"));
    Outcome right = call(scratch, "check right.grad");
    CHECK(right.code == 0);
    CHECK(!contains(right.out, "OFF"));
    CHECK(contains(right.out, "surrogate: hard by x"));
    check_table(right.out);

    scratch.write("both.grad", "fn both(x, y) = floor(x) * y  surrogate derivative x: g * y  derivative y: g * x\n"
                               "model m(x: f32[N, 3]) { return mean(both(linear(x, 3), linear(x, 3))^2) }\n");
    Outcome both = call(scratch, "check both.grad"); // the clause of y is no surrogate, and wrong
    CHECK(both.code == 1);
    CHECK(contains(both.out, "the derivative of `both` by `y`"));
    CHECK(!contains(both.out, "of `both` by `x`"));

    scratch.write("bent.grad", "fn clip(x) = x  surrogate derivative x: min(max(g, -0.01), 0.01)\n"
                               "model m(x: f32[N, 3]) { return mean(clip(linear(x, 4))^2) }\n");
    Outcome bent = call(scratch, "check bent.grad"); // no function has this derivative
    CHECK(bent.code == 0);
    CHECK(contains(bent.out, "   surrogate "));
}

TEST_CASE("check keeps arguments of stop_gradient constant", "[check]") {
    Scratch scratch;
    scratch.write("m.grad", "model m(x: f32[N, 3]) { param w: [3, 2] = normal(1)\n"
                            "  y = x @ w;  return mean(y * stop_gradient(y)) }\n");
    Outcome outcome = call(scratch, "check m.grad");
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "good"));
}

TEST_CASE("a clause that needs its own derivative is an error with a place", "[check]") {
    Scratch scratch;
    scratch.write("m.grad", "fn sq(x) = x^2  derivative x: grad(sq(x), wrt: x)\n"
                            "model m(x: f32[N]) { param w = 1;  return sq(w * x) }\n");
    Outcome outcome = call(scratch, "check m.grad");
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.err, "m.grad:1:31: error"));
}
