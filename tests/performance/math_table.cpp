// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One line for each function.
#include "tests/performance/math_table.h"
#include <fmt/format.h>

namespace gradc::math_errors {

namespace {

constexpr double all = std::numeric_limits<double>::infinity();

/// `of` has no state: it is made anew where it is called.
template <class Of>
Function function(const char* name, const char* formula, int arguments, Of, double f32_bound, double f64_bound,
                  double f32_domain = all, double f64_domain = all) {
    return {name,
            formula,
            arguments,
            f32_domain,
            f64_domain,
            f32_bound,
            f64_bound,
            f64_bound,
            [](double x, double y) -> double { return Of{}(x, y); },
            [](long double x, long double y) -> long double { return Of{}(x, y); }};
}

constexpr auto sigmoid = [](auto x) {
    auto e = std::exp(-std::fabs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
};
constexpr auto softplus = [](auto x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))); };

} // namespace

std::vector<Function> function_table() {
    std::vector<Function> table = {
        function(
            "exp", "exp(x)", 1, [](auto x, auto) { return std::exp(x); }, 4, 4),
        function(
            "log", "log(x)", 1, [](auto x, auto) { return std::log(x); }, 4, 4),
        function(
            "expm1", "expm1(x)", 1, [](auto x, auto) { return std::expm1(x); }, 4, 4),
        function(
            "log1p", "log1p(x)", 1, [](auto x, auto) { return std::log1p(x); }, 4, 4),
        function(
            "sin", "sin(x)", 1, [](auto x, auto) { return std::sin(x); }, 4, 4, 131072, 1e9),
        function(
            "cos", "cos(x)", 1, [](auto x, auto) { return std::cos(x); }, 4, 4, 131072, 1e9),
        function(
            "tanh", "tanh(x)", 1, [](auto x, auto) { return std::tanh(x); }, 4, 4),
        function(
            "sigmoid", "sigmoid(x)", 1, [](auto x, auto) { return sigmoid(x); }, 4, 4),
        function(
            "softplus", "softplus(x)", 1, [](auto x, auto) { return softplus(x); }, 4, 4),
        function(
            "erf", "erf(x)", 1, [](auto x, auto) { return std::erf(x); }, 4, 4),
        function(
            "erfc", "erfc(x)", 1, [](auto x, auto) { return std::erfc(x); }, 4.5, 4),
        function(
            "sqrt", "sqrt(x)", 1, [](auto x, auto) { return std::sqrt(x); }, 0.8, 0.5),
        function(
            "reciprocal", "1 / x", 1, [](auto x, auto) { return 1 / x; }, 0.5, 0.5),
        function(
            "divide", "x / y", 2, [](auto x, auto y) { return x / y; }, 0.5, 0.5),
        function(
            "pow", "x^y", 2, [](auto x, auto y) { return std::pow(x, y); }, 4, 4),
    };
    table.back().f64_bound_unfused = 2000; // see lost_f32 in math.grad
    return table;
}

std::string model_text(const std::vector<Function>& functions) {
    std::string text;
    for (const Function& each : functions) {
        std::string formula;
        for (char letter : each.formula) {
            bool argument = letter == 'y' || (letter == 'x' && (formula.empty() || formula.back() != 'e'));
            formula += argument ? fmt::format("{}_{}", each.name, letter) : std::string(1, letter);
        }
        std::string second = each.arguments == 2 ? fmt::format(", {}_y: f32[N]", each.name) : "";
        text += fmt::format("model {0}_of({0}_x: f32[N]{1}) -> f32[N] {{ return {2} }}\n", each.name, second, formula);
    }
    return text;
}

} // namespace gradc::math_errors
