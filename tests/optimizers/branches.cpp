// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An `if` on a number of the run. The side that is not taken changes no bit, whatever it would compute, and the
// compiled step has a branch there that neither reads nor stores its values.
#include "tests/optimizers/run.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <fmt/format.h>
#include <set>

using namespace gradc;

namespace {

/// A weight whose gradient is a product, a bias whose gradient is a sum.
std::string program(const std::string& optimizers, const std::string& line) {
    return R"(
dataset d { x: f64 = [0.5, -1, 2, 0.25, 1, -0.75] }
model net(x: f64[N]) -> f64 {
    param u: f64[24, 256] = normal()
    param v: f64[256] = 0.25
    y[n, i < 24] = sin(x[n] * i + 1)
    return mean((y @ u + v)^2)
}
)" + optimizers +
           fmt::format("train {{ data d; batch 2; order file; epochs 7; loss net(x); optimizer {} }}\n", line);
}

/// Every store of a body, those in branches too.
void stores(const loop::Body& body, std::set<loop::BufferId>& found) {
    for (const loop::Statement& statement : body) {
        if (auto store = std::get_if<loop::Store>(&statement.node)) found.insert(store->buffer);
        if (auto inner = std::get_if<loop::Loop>(&statement.node)) stores(inner->body, found);
        if (auto inner = std::get_if<loop::If>(&statement.node))
            stores(inner->then, found), stores(inner->otherwise, found);
    }
}

/// Buffers that some branch stores on the first side only.
void stored_on_one_side(const loop::Body& body, std::set<loop::BufferId>& found) {
    for (const loop::Statement& statement : body) {
        if (auto inner = std::get_if<loop::Loop>(&statement.node)) stored_on_one_side(inner->body, found);
        auto branch = std::get_if<loop::If>(&statement.node);
        if (!branch) continue;
        std::set<loop::BufferId> then, otherwise;
        stores(branch->then, then), stores(branch->otherwise, otherwise);
        for (loop::BufferId each : then)
            if (!otherwise.count(each)) found.insert(each);
        stored_on_one_side(branch->then, found), stored_on_one_side(branch->otherwise, found);
    }
}

std::set<std::string> spared(const StepRun& run) {
    std::set<loop::BufferId> found;
    for (const loop::Kernel& kernel : run.program().kernels) stored_on_one_side(kernel.body, found);
    std::set<std::string> names;
    for (loop::BufferId each : found) names.insert(run.buffers()[each].name);
    return names;
}

/// The same bits, NaN included.
bool same(const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) {
               return x == y ? std::signbit(x) == std::signbit(y) : std::isnan(x) && std::isnan(y);
           });
}

} // namespace

TEST_CASE("gradient_accumulation changes the inner optimizer's states in its own steps only") {
    StepRun run(program("", "gradient_accumulation(adam(learning_rate: 0.1), steps: 3)"));
    const std::vector<std::string> held = {"net.u",
                                           "net.v",
                                           "train.gradient_accumulation.adam.m/net.u",
                                           "train.gradient_accumulation.adam.v/net.u",
                                           "train.gradient_accumulation.adam.m/net.v",
                                           "train.gradient_accumulation.adam.v/net.v"};
    std::set<std::string> names = spared(run);
    for (const std::string& path : held) {
        INFO(path);
        CHECK(names.count(path));
    }
    CHECK(!names.count("train.gradient_accumulation.a/net.u"));
    for (int i = 1; i <= 9; ++i) {
        INFO("step " << i);
        auto before = run.compiled(held);
        run.step(i, 9);
        CHECK(same(run.compiled(held), before) == (i % 3 != 0));
        auto evaluated = run.evaluated(held), compiled = run.compiled(held);
        for (size_t k = 0; k < compiled.size(); ++k)
            CHECK(compiled[k] == Approx(evaluated[k]).epsilon(1e-9).margin(1e-12));
    }
}

TEST_CASE("NaN on the side that is not taken changes nothing") {
    const char* optimizers = R"(
optimizer wild(rate = 0.1) {
    state v = 0
    v <- log(v - 1) / v
    w <- w - rate * g * v
}
optimizer now_and_then(inner) {
    state runs = 0
    runs <- runs + 1
    if t % 4 == 0 { inner } else { w <- w - 0.01 * g }
}
)";
    StepRun run(program(optimizers, "now_and_then(wild())"));
    const std::vector<std::string> states = {"train.now_and_then.wild.v/net.u", "train.now_and_then.wild.v/net.v"};
    const std::vector<double> untouched(24 * 256 + 256, 0.0);
    CHECK(spared(run).count(states[0]));
    for (int i = 1; i <= 3; ++i) {
        run.step(i, 5);
        CHECK(same(run.compiled(states), untouched));
        CHECK(same(run.evaluated(states), untouched));
        for (double each : run.compiled({"net.u", "net.v"})) REQUIRE(std::isfinite(each));
        for (double each : run.evaluated({"net.u", "net.v"})) REQUIRE(std::isfinite(each));
    }
    run.step(4, 5);
    for (double each : run.compiled(states)) REQUIRE(std::isnan(each));
    for (double each : run.evaluated(states)) REQUIRE(std::isnan(each));
}

TEST_CASE("nested conditions, and a condition that differs between parameters") {
    const char* optimizers = R"(
optimizer nested(inner) {
    if t > 2 { if t % 2 == 0 { inner } } else { w <- w - 0.02 * g }
}
optimizer unless(inner) { if t % 3 == 0 { w <- 0.5 * w } else { inner } }
optimizer climbing(inner) { if sum(g) > 0 { inner } }
)";
    for (const char* line :
         {"nested(adam(learning_rate: 0.1))", "unless(gradient_accumulation(momentum(learning_rate: 0.01), steps: 2))",
          "climbing(adam(learning_rate: 0.1))",
          "lookahead(gradient_accumulation(adam(learning_rate: 0.1), steps: 2), k: 3)",
          "gradient_accumulation(lookahead(radam(learning_rate: 0.1), k: 2), steps: 2)"}) {
        INFO(line);
        StepRun run(program(optimizers, line));
        std::vector<std::string> all;
        for (const Variable& variable : run.job().variables)
            if (variable.role != Variable::Role::accumulator) all.push_back(variable.path);
        for (int i = 1; i <= 12; ++i) {
            INFO("step " << i);
            run.step(i, 12);
            auto evaluated = run.evaluated(all), compiled = run.compiled(all);
            for (size_t k = 0; k < compiled.size(); ++k)
                REQUIRE(compiled[k] == Approx(evaluated[k]).epsilon(1e-9).margin(1e-12));
        }
    }
}

TEST_CASE("the C++ text has the same branches") {
    const std::string text = program("", "gradient_accumulation(adam(learning_rate: 0.1), steps: 2)");
    StepRun by_llvm(text);
    for (int i = 1; i <= 5; ++i) by_llvm.step(i, 5);
    for (const std::string& compiler : target::find_compilers()) {
        INFO(compiler);
        StepRun by_text(text, compiler);
        for (int i = 1; i <= 5; ++i) by_text.step(i, 5);
        for (const char* path : {"net.u", "net.v", "train.gradient_accumulation.adam.m/net.u"}) {
            auto a = by_text.compiled({path}), b = by_llvm.compiled({path});
            for (size_t k = 0; k < a.size(); ++k) REQUIRE(a[k] == Approx(b[k]).epsilon(1e-9));
        }
    }
}
