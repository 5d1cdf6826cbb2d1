// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The gradient check: stopped, declared and differently scaled gradients must pass, and a wrong clause must be named.
#include "compiler/check/gradient_check.h"
#include "compiler/training/job.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc;

namespace {

struct Checked {
    Sources sources;
    std::optional<TrainingJob> job;
    GradientCheck result;

    explicit Checked(const std::string& text) : result(check(text)) {}

    GradientCheck check(const std::string& text) {
        FileReader reader;
        Diagnostics diagnostics;
        uint32_t main = sources.add({"test.grad", text});
        job = elaborate(sources, main, reader, {}, diagnostics);
        INFO(print(diagnostics, sources));
        REQUIRE(job);
        Question question = questions(*job).at(0);
        return check_gradient(*job, question, {telling_rows(question.graph, question.value), 1}, {});
    }
    double worst() const {
        double error = 0;
        for (const CheckedParameter& each : result.parameters) error = std::max(error, each.difference);
        return error;
    }
    bool moves(const std::string& path) const { // its gradient is not zero
        for (const CheckedParameter& each : result.parameters)
            if (each.path == path)
                for (double value : each.gradient.values)
                    if (value != 0) return true;
        return false;
    }
    std::vector<ClauseDifference> clauses() const {
        return compare_clauses(result.loss, result.environment, *job->rules);
    }
};

} // namespace

TEST_CASE("differences keep arguments of stop_gradient constant") {
    const std::pair<const char*, const char*> models[] = {
        {"m.w", "model m(x: f32[N, 3]) { param w: [3, 2] = normal(1)\n"
                "  y = x @ w\n  return mean(y * stop_gradient(y)) }"},
        {"m.w", "model m(x: f32[N, 4, 3]) { param w: [3, 3] = normal(1)\n" // in each iteration of a loop
                "  y = scan t < 4 with h = zeros([N, 3]) {\n"
                "    u = x[:, t] @ w + h\n    h = tanh(u) * stop_gradient(u)\n    yield h\n  }\n  return mean(y) }"},
        {"m.e", "model m(x: f32[N, 2]) { param e: [3, 2] = normal(1)\n" // vector quantization
                "  z = linear(x, 2)\n"
                "  d[n, k] = sum[i]((z[n, i] - e[k, i])^2)\n"
                "  near[n] = min[k](d[n, k])\n"
                "  hit[n, k] = where(d[n, k] == near[n], 1, 0)\n"
                "  q = hit @ e\n"
                "  through = z + stop_gradient(q - z)\n"
                "  return mean(through^2) + mean((stop_gradient(z) - q)^2) + 0.25 * mean((z - stop_gradient(q))^2) }"},
        {"m.w", "model m(x: f32[N, 3]) { param w: [3, 2] = normal(1)\n" // mean teacher
                "  state slow: f32[3, 2] = zeros([3, 2])\n"
                "  slow <- 0.9 * slow + 0.1 * w\n"
                "  return mean((tanh(x @ w) - stop_gradient(tanh(x @ slow)))^2) }"},
        {"m.w", "model m(x: f32[N, 3]) { param w: [3, 2] = normal(1)\n" // spectral normalization
                "  v = w' @ full(1, [3, 1])\n  v = v / sqrt(sum(v^2))\n"
                "  u = w @ v\n  u = u / sqrt(sum(u^2))\n"
                "  s = sum(stop_gradient(u) * (w @ stop_gradient(v)))\n"
                "  return mean(tanh(x @ (w / s))^2) }"},
    };
    for (const auto& [path, text] : models) {
        CAPTURE(text);
        Checked check(text);
        CHECK(check.worst() < 1e-6);
        CHECK(check.moves(path));
    }
}

TEST_CASE("a gradient far smaller than the loss is compared beyond the rounding of the loss") {
    const std::string model = "model m(x: f32[N, 3]) { param w: [3, 2] = normal(1)\n"
                              "  return 1 + 1e-8 * mean(tripled(exp(3 * tanh(x @ w)))) }";
    Checked right("fn tripled(x) = 3 * x\n" + model);
    CHECK(right.worst() < 1e-6);
    CHECK(right.moves("m.w"));
    Checked wrong("fn tripled(x) = 3 * x  derivative x: 3.01 * g\n" + model);
    CHECK(wrong.worst() > 1e-3);
}

TEST_CASE("a wrong clause is found by name, with both numbers") {
    Checked check("fn inner(x) = exp(x)\n"
                  "fn half(x) = 3 * inner(x)  derivative x: g * inner(x)\n"
                  "model m(x: f32[N, 2]) { param w = 0.5\n  return mean(tanh(half(w * x))) }");
    CHECK(check.worst() > 0.1);
    bool told = false;
    for (const ClauseDifference& each : check.clauses()) {
        bool wrong = each.clause.function == "half";
        CHECK((each.error > 1e-4) == wrong);
        if (!wrong) continue;
        told = true;
        CHECK(each.clause.parameter == "x");
        CHECK(each.clause.stated);
        CHECK(check.sources.place(each.clause.span.source, each.clause.span.begin).line == 2);
        CHECK(each.difference == Approx(3 * each.declared).epsilon(1e-6));
    }
    CHECK(told);
    Checked in_loop("fn half(x) = 3 * x  derivative x: g\n"
                    "model m(x: f32[N, 4]) { param w = 0.5\n"
                    "  y = scan t < 4 with h = x[:, 0] { h = half(w * h + x[:, t]);  yield h }\n  return mean(y) }");
    REQUIRE(in_loop.clauses().size() == 1);
    CHECK(in_loop.clauses()[0].declared == Approx(1));
    CHECK(in_loop.clauses()[0].difference == Approx(3));
}

TEST_CASE("an argument without a clause is found where the formula depends on it") {
    Checked check("fn scaled(x, by) = x * by  derivative x: g * by\n"
                  "model m(x: f32[N, 2]) { param w = 0.5\n  return mean(scaled(w * x, w)) }");
    std::vector<ClauseDifference> all = check.clauses();
    REQUIRE(all.size() == 2);
    const ClauseDifference& missing = all[0].clause.stated ? all[1] : all[0];
    CHECK(missing.clause.parameter == "by");
    CHECK(!missing.clause.stated);
    CHECK(missing.declared == 0);
    CHECK(missing.error > 0.1);
}

TEST_CASE("surrogates are accepted as declared, and the rest is compared") {
    for (const char* text : {
             "fn binary(x) = where(x > 0, 1, -1)  surrogate derivative x: g * where(abs(x) < 1, 1, 0)\n"
             "model m(x: f32[N, 3]) { return mean(linear(binary(linear(x, 4)), 2)^2) }",
             "fn rounded(x) = floor(x + 0.5)  surrogate derivative x: g\n" // in a loop
             "model m(x: f32[N, 4]) { param w = 0.7\n"
             "  y = scan t < 4 with h = x[:, 0] { h = rounded(8 * tanh(w * h + x[:, t])) / 8;  yield h }\n"
             "  return mean(y^2) }",
             "fn mixed(x) = x @ full(1, [3, 3])  surrogate derivative x: g @ full(0.5, [3, 3])\n" // not elementwise
             "model m(x: f32[N, 3]) { return mean(tanh(mixed(tanh(linear(x, 3))))) }",
             "fn turned(x) = x  surrogate derivative x: -g\n"
             "model m(x: f32[N, 3]) { return mean(tanh(linear(turned(linear(x, 3)), 1))) }",
         }) {
        CAPTURE(text);
        Checked check(text);
        CHECK(check.result.surrogates);
        CHECK(check.worst() < 1e-6);
        for (const CheckedParameter& each : check.result.parameters) {
            CHECK(!each.surrogate);
            CHECK(check.moves(each.path)); // also through a step function whose result is written as integers
        }
    }
    Checked wrong("fn binary(x) = where(x > 0, 1, -1)  surrogate derivative x: g\n" // together with a wrong clause
                  "fn half(x) = x^2  derivative x: g * x\n"
                  "model m(x: f32[N, 3]) { return mean(half(linear(binary(linear(x, 4)), 2))) }");
    CHECK(wrong.worst() > 0.1);
}

TEST_CASE("parameters before a surrogate that is not linear in g are not compared, others are") {
    Checked check("fn clipped(x) = x  surrogate derivative x: min(max(g, -0.001), 0.001)\n"
                  "model m(x: f32[N, 3]) {\n"
                  "  param first: [3, 3] = normal(1)\n  param second: [3] = normal(1)\n"
                  "  return mean(clipped(tanh(x @ first)) * second) }");
    for (const CheckedParameter& each : check.result.parameters) {
        CHECK(each.surrogate == (each.path == "m.first"));
        CHECK((each.surrogate || each.difference < 1e-6));
    }
}

TEST_CASE("a gradient of zero passes at any size of the loss") {
    Checked check("model m(x: f32[N, 3]) { param b = 1\n"
                  "  y = 1e6 * softmax(x + b * 2)\n  return sum(y) + 1e6 }");
    CHECK(check.worst() < 1e-6);
}
