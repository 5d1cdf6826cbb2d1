// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Initializers: compiled initial values are equal to the evaluator's. Large ones have the stated mean, variance and
// bounds; orthogonal ones are orthonormal; random indices have the frequencies of their softmax.
#include "tests/library/compiled.h"
#include "tests/library/points.h"
#include "tests/library/proof.h"
#include <cmath>
#include <fmt/format.h>

namespace gradc::library {

namespace {

enum class Claim { numbers, even, normal, orthonormal };

struct StartFormula {
    const char *entry, *start;
    std::vector<int64_t> shape;
    Claim claim;
    double mean = 0, variance = 0; // uniform, normal
};

std::vector<StartFormula> start_formulas() {
    const std::vector<int64_t> large = {300, 200}, window = {3, 3, 40, 50};
    return {
        {"zeros", "zeros([3, 4])", {3, 4}, Claim::numbers},
        {"ones", "ones([3, 4])", {3, 4}, Claim::numbers},
        {"constant", "constant(0.3)", {3, 4}, Claim::numbers},
        {"fan_in", "fan_in([3, 3, 8, 16])", {2}, Claim::numbers},
        {"fan_out", "fan_out([3, 3, 8, 16])", {2}, Claim::numbers},
        {"uniform", "uniform(-1, 3)", large, Claim::even, 1, 16.0 / 12},
        {"normal", "normal(2)", large, Claim::normal, 0, 4},
        {"glorot_uniform", "glorot_uniform()", large, Claim::even, 0, 2.0 / 500},
        {"glorot_uniform", "glorot_uniform()", window, Claim::even, 0, 2.0 / 810},
        {"glorot_normal", "glorot_normal()", large, Claim::normal, 0, 2.0 / 500},
        {"he_uniform", "he_uniform()", large, Claim::even, 0, 2.0 / 300},
        {"he_normal", "he_normal()", window, Claim::normal, 0, 2.0 / 360},
        {"lecun_uniform", "lecun_uniform()", large, Claim::even, 0, 1.0 / 300},
        {"lecun_normal", "lecun_normal()", large, Claim::normal, 0, 1.0 / 300},
        {"orthogonal", "orthogonal()", {60, 25}, Claim::orthonormal},
        {"orthogonal", "orthogonal()", {25, 60}, Claim::orthonormal},
        {"orthogonal", "orthogonal()", {32, 32}, Claim::orthonormal},
        {"orthogonal", "orthogonal()", {3, 3, 4, 10}, Claim::orthonormal},
        {"orthogonal", "orthogonal()", {7}, Claim::orthonormal},
    };
}

using Values = std::vector<double>;

/// Largest entry of the Gram matrix of the shorter side, less the identity.
double off_orthonormal(const Values& w, int64_t columns) {
    int64_t inputs = int64_t(w.size()) / columns, few = std::min(inputs, columns), length = std::max(inputs, columns);
    bool by_columns = inputs >= columns;
    auto at = [&](int64_t vector, int64_t k) {
        return w[size_t(by_columns ? k * columns + vector : vector * columns + k)];
    };
    double worst = 0;
    for (int64_t a = 0; a < few; ++a)
        for (int64_t b = 0; b < few; ++b) {
            double product = 0;
            for (int64_t k = 0; k < length; ++k) product += at(a, k) * at(b, k);
            worst = std::max(worst, std::fabs(product - (a == b)));
        }
    return worst;
}

/// Empty if the random numbers are as stated: within five deviations of the mean and the variance, and
/// within the bounds of uniform ones.
std::string check_claim(const StartFormula& formula, const Values& w) {
    if (formula.claim == Claim::numbers) return "";
    if (formula.claim == Claim::orthonormal) {
        double off = off_orthonormal(w, formula.shape.back());
        return off <= 1e-6 ? "" : fmt::format("off orthonormal by {:.2g}", off);
    }
    double n = double(w.size()), mean = 0, variance = 0, lowest = INFINITY, highest = -INFINITY;
    for (double value : w) mean += value / n, lowest = std::min(lowest, value), highest = std::max(highest, value);
    for (double value : w) variance += (value - mean) * (value - mean) / n;
    double deviation = std::sqrt(formula.variance);
    if (std::fabs(mean - formula.mean) > 5 * deviation / std::sqrt(n)) return fmt::format("the mean is {}", mean);
    if (std::fabs(variance / formula.variance - 1) > 5 * std::sqrt(2 / n))
        return fmt::format("the variance is {}", variance);
    double bound = std::sqrt(3.0) * deviation * (1 + 1e-6);
    if (formula.claim == Claim::even && (lowest < formula.mean - bound || highest > formula.mean + bound))
        return fmt::format("numbers from {} to {}", lowest, highest);
    if (formula.claim == Claim::normal && highest < 3.5 * deviation) return "the tail is too short";
    return "";
}

void prove_sample(Dtype precision, Findings& findings) {
    constexpr int64_t n = 4000;
    TrainingJob job = elaborate_text("model s(v: f32[N, 4]) { return categorical(v) }", precision);
    Graph graph = model_of(job, "s").graph;
    graph.outputs[0].name = "drawn";
    Environment environment;
    environment.rows = n;
    environment.scalars = {{"seed", 1}, {"step", 1}};
    Tensor v{{n, 4}, {}};
    for (int64_t row = 0; row < n; ++row)
        v.values.insert(v.values.end(), {0, std::log(2.0f), -INFINITY, std::log(5.0f)});
    environment.fields["v"] = v;
    environment.fields["#row"] = {{n}, {}};
    for (int64_t row = 0; row < n; ++row) environment.fields["#row"].values.push_back(double(row));
    auto exact = evaluate(graph, environment)[0].values;
    double counts[4] = {};
    for (double each : exact) ++counts[size_t(each)];
    for (int c = 0; c < 4; ++c) {
        const double share[] = {0.125, 0.25, 0, 0.625};
        if (std::fabs(counts[c] / n - share[c]) > 5 * std::sqrt(share[c] * (1 - share[c]) / n))
            findings.error(fmt::format("sample draws {} with probability {}, not {}", c, counts[c] / n, share[c]));
    }
    Machines machines(job, {{"s", graph}}, n, precision);
    for (const Way& way : machines.ways()) {
        machines.write(environment);
        machines.run("s", n, way);
        auto found = machines.read("drawn", n);
        int64_t different = 0;
        for (size_t i = 0; i < found.size(); ++i) different += found[i] != exact[i];
        if (different > 2) findings.error(fmt::format("sample on {} differs in {} rows", way.name, different));
    }
    ++findings.of["categorical"].cases;
}

} // namespace

void prove_starts(Findings& findings) {
    auto formulas = start_formulas();
    for (Dtype precision : {Dtype::f32, Dtype::f64}) {
        std::string text = "model m() {\n";
        for (size_t i = 0; i < formulas.size(); ++i) {
            std::string shape;
            for (int64_t size : formulas[i].shape) shape += fmt::format("{}{}", shape.empty() ? "" : ", ", size);
            text += fmt::format("    param w{}: [{}] = {}\n", i, shape, formulas[i].start);
        }
        text += "    return 0";
        for (size_t i = 0; i < formulas.size(); ++i) text += fmt::format(" + sum(w{})", i);
        TrainingJob job = elaborate_text(text + "\n}\n", precision);
        Environment environment;
        environment.scalars["seed"] = 7;
        auto exact = evaluate(job.initial, environment);
        Machines machines(job, {{"initial", job.initial, true}}, 1, precision);
        for (const Way& way : machines.ways()) {
            machines.write(environment);
            machines.run("initial", 1, way);
            for (size_t i = 0; i < formulas.size(); ++i) {
                Values found = machines.read_variable(job.initial.outputs[i].name);
                double largest = 0, worst = 0;
                for (double value : exact[i].values) largest = std::max(largest, std::fabs(value));
                for (size_t k = 0; k < found.size(); ++k)
                    worst = std::max(worst, compiled_error(found[k], exact[i].values[k], largest, true));
                Finding& finding = findings.of[formulas[i].entry];
                ++finding.cases;
                if (precision == Dtype::f32) finding.value_error = std::max(finding.value_error, worst);
                std::string where =
                    fmt::format("{} as compiled {} on {}", formulas[i].start, name(precision), way.name);
                if (!(worst <= (precision == Dtype::f32 ? 2e-6 : 1e-9)))
                    findings.error(fmt::format("{} is off by {:.2g}", where, worst));
                if (std::string wrong = check_claim(formulas[i], found); !wrong.empty())
                    findings.error(where + ": " + wrong);
            }
        }
        prove_sample(precision, findings);
    }
}

} // namespace gradc::library
