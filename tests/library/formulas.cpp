// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tables of formulas, one for each kind.
#include "tests/library/formulas.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc::library {

namespace {

/// A kink at x = `place`.
Kink at(double place, double derivative) {
    return {[=](double x, double) { return x - place; }, [=](double, double) { return derivative; }};
}

/// A kink where x = t.
Kink meeting(double derivative) {
    return {[](double x, double t) { return x - t; }, [=](double, double) { return derivative; }};
}

/// A kink where t x = width; derivative 0.
Kink margin(double width) {
    return {[=](double x, double t) { return t * x - width; }, [](double, double) { return 0.0; }};
}

bool no_share(double p) { return p < 0 || p > 1; }

std::vector<ScalarFormula> primitives() {
    auto below = [](double place) { return [=](double x, double) { return x < place; }; };
    return {
        {"add", "x[n] + t[n]"},
        {"subtract", "x[n] - t[n]"},
        {"multiply", "x[n] * t[n]"},
        {"divide", "x[n] / t[n]"},
        {"negate", "-x[n]"},
        {"maximum", "max(x[n], t[n])", {meeting(0)}},
        {"minimum", "min(x[n], t[n])", {meeting(0)}},
        {"abs", "abs(x[n])", {at(0, 0)}},
        {"sqrt", "sqrt(x[n])", {}, below(0)},
        {.entry = "floor", .formula = "floor(x[n])", .jumps = true},
        {.entry = "round", .formula = "round(x[n])", .jumps = true},
        {.entry = "sign", .formula = "sign(x[n])", .jumps = true},
        {"select", "select(x[n] > 0.5, x[n], 2 * x[n] - 0.5)", {at(0.5, 2)}},
        {"fused_multiply_add", "fused_multiply_add(x[n], t[n], 0.5)"},
        {"exp", "exp(x[n])"},
        {"expm1", "expm1(x[n])"},
        {"log", "log(x[n])", {}, below(0)},
        {"log1p", "log1p(x[n])", {}, below(-1)},
        {"sin", "sin(x[n])"},
        {"cos", "cos(x[n])"},
        {"tan", "tan(x[n])"},
        {"tanh", "tanh(x[n])"},
        {"erf", "erf(x[n])"},
        {.entry = "erfc", .formula = "erfc(x[n])", .bound = 2e-5},
        {"pow", "pow(abs(x[n]) + 0.1, 1.5)", {at(0, 0)}},
        {"remainder",
         "remainder(x[n], 0.75)",
         {{[](double x, double) { return x - 0.75 * std::round(x / 0.75); }, [](double, double) { return 1.0; }}}},
    };
}

std::vector<ScalarFormula> activations() {
    return {
        {"identity", "identity(x[n])"},
        {.entry = "heaviside", .formula = "heaviside(x[n])", .jumps = true},
        {"sigmoid", "sigmoid(x[n])"},
        {"hard_sigmoid", "hard_sigmoid(x[n])", {at(-3, 0), at(3, 0)}},
        {"hard_sigmoid", "hard_sigmoid(x[n], 2)", {at(-1, 0), at(1, 0)}},
        {"relu", "relu(x[n])", {at(0, 0)}},
        {"leaky_relu", "leaky_relu(x[n])", {at(0, 0.01)}},
        {"leaky_relu", "leaky_relu(x[n], 0.3)", {at(0, 0.3)}},
        {"leaky_relu", "leaky_relu(x[n], -2)", {at(0, -2)}},
        {"elu", "elu(x[n])"},
        {"elu", "elu(x[n], 0.5)", {at(0, 0.5)}},
        {"selu", "selu(x[n])", {at(0, 1.7580993408473768)}},
        {"softplus", "softplus(x[n])"},
        {.entry = "log1p_exp", .formula = "log1p_exp(x[n])", .x = Points::below},
        {"swish", "swish(x[n])"},
        {.entry = "swish", .formula = "swish(x[n], 1.5)", .bound = 2e-5},
        {"silu", "silu(x[n])"},
        {"mish", "mish(x[n])"},
        {.entry = "gelu", .formula = "gelu(x[n])", .bound = 2e-5},
        {.entry = "gelu_tanh", .formula = "gelu_tanh(x[n])", .bound = 2e-5, .least = 1e-35},
    };
}

std::vector<ScalarFormula> losses_of_a_row() {
    return {
        {"mse", "mse(x[n], t[n])"},
        {"mae", "mae(x[n], t[n])", {meeting(0)}},
        {"sum_of_squares", "sum_of_squares(x[n], t[n])"},
        {"sum_of_absolutes", "sum_of_absolutes(x[n], t[n])", {meeting(0)}},
        {"huber", "huber(x[n], t[n])"},
        {"huber", "huber(x[n], t[n], 0.5)"},
        {.entry = "logistic_loss", .formula = "logistic_loss(x[n], t[n])", .t = Points::label},
        {"logistic_loss", "logistic_loss(x[n], 1)"},
        {"logistic_loss", "logistic_loss(x[n], 0)"},
        {.entry = "binary_cross_entropy_with_logits",
         .formula = "binary_cross_entropy_with_logits(x[n], t[n])",
         .t = Points::label},
        {"binary_cross_entropy_with_logits", "binary_cross_entropy_with_logits(x[n], 1)"},
        {.entry = "binary_cross_entropy",
         .formula = "binary_cross_entropy(x[n], t[n])",
         .outside = [](double x, double t) { return no_share(x) || no_share(t); },
         .x = Points::unit,
         .t = Points::unit},
        {.entry = "hinge", .formula = "hinge(x[n], t[n])", .kinks = {margin(1)}},
        {.entry = "hinge", .formula = "hinge(x[n], -1, 2)", .kinks = {at(-2, 0)}},
        {.entry = "perceptron_loss", .formula = "perceptron_loss(x[n], 1)", .kinks = {at(0, -1)}},
        {.entry = "perceptron_loss", .formula = "perceptron_loss(x[n], -1)", .kinks = {at(0, 1)}},
        {.entry = "sigmoid_focal_loss", .formula = "sigmoid_focal_loss(x[n], t[n])", .t = Points::label, .bound = 2e-5},
        {.entry = "sigmoid_focal_loss", .formula = "sigmoid_focal_loss(x[n], 1, 0.4, 1.5)", .bound = 2e-5},
        {"l1", "l1(x[n])", {at(0, 0)}},
        {"l2", "l2(x[n])"},
    };
}

} // namespace

std::string scalar_model(const ScalarFormula& formula, const std::string& name) {
    bool two = formula.formula.find("t[n]") != std::string::npos;
    return fmt::format("model {}(x: f32[N]{}) {{ y[n] = {};  return y }}\n", name, two ? ", t: f32[N]" : "",
                       formula.formula);
}

std::string row_model(const RowFormula& formula, const std::string& name) {
    bool by_row = formula.formula.find("[n") != std::string::npos;
    return fmt::format("model {}(v: f32[N, 4], u: f32[N, 4], i: int[N] < 4) {{ y{} = {};  return y }}\n", name,
                       by_row ? "[n]" : "", formula.formula);
}

std::vector<ScalarFormula> scalar_formulas() {
    std::vector<ScalarFormula> all = primitives();
    for (const auto& more : {activations(), losses_of_a_row()}) all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::vector<RowFormula> row_formulas() {
    return {
        {"softmax", "softmax(v)"},
        {"logsumexp", "logsumexp(v[n, :])"},
        {"log_softmax", "log_softmax(v)"},
        {.entry = "categorical_cross_entropy",
         .formula = "categorical_cross_entropy(v[n, :], i[n])",
         .v = Points::unit,
         .outside = [](const double* v, int i) { return no_share(v[i]); }},
        {"nll_loss", "nll_loss(v[n, :], i[n])"},
        {"cross_entropy", "cross_entropy(v[n, :], i[n])"},
        {"cross_entropy", "cross_entropy(v[n, :], i[n], label_smoothing: 0.1)"},
        {.entry = "focal_loss", .formula = "focal_loss(v[n, :], i[n])", .bound = 2e-5},
        {.entry = "focal_loss", .formula = "focal_loss(v[n, :], i[n], 1.5, 0.25)", .bound = 2e-5},
        {.entry = "kl_divergence", .formula = "kl_divergence(v[n, :], softmax(u[n, :]))", .bound = 1e-5},
        {.entry = "kl_divergence",
         .formula = "kl_divergence(log_softmax(u[n, :]), v[n, :])",
         .v = Points::unit,
         .outside = [](const double* v, int) { return *std::min_element(v, v + 4) < 0; }},
        {"triplet_margin_loss", "triplet_margin_loss(v[n, :], u[n, :], -u[n, :])"},
        {.entry = "triplet_margin_loss",
         .formula = "triplet_margin_loss(v[n, :], u[n, :], 3 - v[n, :], 5)",
         .bound = 1e-4},
        {.entry = "contrastive_loss", .formula = "contrastive_loss(v[n, :], u[n, :], i[n] % 2, 20)", .bound = 1e-5},
        {"soft_cross_entropy", "soft_cross_entropy(v[n, :], softmax(u[n, :]))"},
        {"soft_cross_entropy", "soft_cross_entropy(v[n, :], one_hot(i[n], 4))"},
        {.entry = "multiclass_hinge",
         .formula = "multiclass_hinge(v[n, :], i[n])",
         .kinks = {{{1, 0, -3, -4}, 0, {0, 0, 0, 0}},
                   {{1, 1, 0, 1}, 0, {-2, 1, 0, 1}},
                   {{2, 0, 1, 5}, 0, {-1, 0, 0, 1}}}},
        {.entry = "multiclass_hinge",
         .formula = "multiclass_hinge(v[n, :], i[n], 0.5)",
         .kinks = {{{1, 0.5, -3, -4}, 0, {0, 0, 0, 0}}}},
    };
}

} // namespace gradc::library
