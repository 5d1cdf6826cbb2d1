// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Central differences with several step sizes, the largest also by Richardson's extrapolation. The one nearest to the
// symbolic gradient counts.
#include "compiler/check/differences.h"
#include <algorithm>
#include <cmath>

namespace gradc {
namespace {

/// (f(w + h d) - f(w - h d)) / 2h
double slope(const Graph& loss, Environment& environment, const std::string& path, const std::vector<double>& direction,
             double step) {
    auto variable = environment.variables.find(path);
    Tensor& moved = variable != environment.variables.end() ? variable->second : environment.fields.at(path);
    std::vector<double>& values = moved.values;
    const std::vector<double> kept = values;
    double side[2];
    for (int i = 0; i < 2; ++i) {
        for (size_t k = 0; k < kept.size(); ++k) values[k] = kept[k] + (i ? -step : step) * direction[k];
        side[i] = evaluate(loss, environment)[0].values[0];
    }
    values = kept;
    return (side[0] - side[1]) / (2 * step);
}

/// The difference quotient nearest to `expected`, of several step sizes. A kink inside a large interval and rounding in
/// a small one spoil some quotients, but not all; a wrong gradient disagrees with every one.
double best_slope(const Graph& loss, Environment& environment, const std::string& path,
                  const std::vector<double>& direction, double expected, double tolerance) {
    double best = NAN;
    auto near_enough = [&](double value) {
        if (std::isnan(best) || std::fabs(value - expected) < std::fabs(best - expected)) best = value;
        return std::fabs(best - expected) <= tolerance;
    };
    double value = 0;
    for (double step : {1e-5, 1e-4, 1e-6, 1e-3})
        if (near_enough(value = slope(loss, environment, path, direction, step))) return best;
    // Without the error of order h^2, which is too large for a gradient far smaller than the loss.
    near_enough((4 * value - slope(loss, environment, path, direction, 2e-3)) / 3);
    return best;
}

double largest_entry(const std::vector<double>& values) {
    double largest = 0;
    for (double value : values) largest = std::isnan(value) ? value : std::max(largest, std::fabs(value));
    return largest;
}

} // namespace

DifferenceResult compare_with_differences(const Graph& loss, const Environment& given, const std::string& path,
                                          const Tensor& gradient, const DifferenceOptions& options) {
    Environment environment = given;
    const size_t size = gradient.values.size();
    const double scale = largest_entry(gradient.values);
    const double magnitude = std::max(1.0, std::fabs(evaluate(loss, environment)[0].values[0]));
    DifferenceResult result;
    double worst = 0;
    auto compare = [&](const std::vector<double>& direction, double expected) {
        double found = best_slope(loss, environment, path, direction, expected, 1e-7 * std::max(scale, 1e-12));
        result.largest = std::max(result.largest, std::fabs(found));
        double off = std::fabs(found - expected);
        if (std::isnan(off)) off = INFINITY;
        if (off <= 1e-12 * magnitude) off = 0; // the rounding of the quotient that is extrapolated
        if (off > worst) worst = off, result.declared = expected, result.difference = found;
    };
    Drawing draw{options.seed};
    std::vector<size_t> entries;
    if (int64_t(size) <= options.all_entries)
        for (size_t i = 0; i < size; ++i) entries.push_back(i);
    else
        for (int i = 0; i < options.drawn_entries; ++i) entries.push_back(size_t(draw.below(int64_t(size))));
    for (size_t entry : entries) {
        std::vector<double> direction(size, 0);
        direction[entry] = 1;
        compare(direction, gradient.values[entry]);
    }
    for (int i = 0; i < options.drawn_directions && int64_t(size) > options.all_entries; ++i) {
        std::vector<double> direction(size);
        double norm = 0, expected = 0;
        for (double& value : direction) {
            value = draw.normal();
            norm += value * value;
        }
        for (size_t k = 0; k < size; ++k) {
            direction[k] /= std::sqrt(norm);
            expected += direction[k] * gradient.values[k];
        }
        compare(direction, expected);
    }
    double base = std::max(scale, result.largest);
    // The rounding of a quotient is about 1e-11 of the loss: smaller gradients look like zero.
    result.error = base < 1e-9 * magnitude ? 0 : worst / base;
    return result;
}

} // namespace gradc
