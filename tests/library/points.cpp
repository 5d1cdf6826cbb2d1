// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Special numbers by kind, random floats, and errors relative to the scale.
#include "tests/library/points.h"
#include <cfloat>
#include <cmath>

namespace gradc::library {

std::vector<double> special_numbers(Points points) {
    if (points == Points::below) {
        std::vector<double> all = special_numbers(Points::real);
        std::erase_if(all, [](double number) { return number > 0; });
        return all;
    }
    const double tiny = double(1e-30f), third = double(1.0f / 3);
    if (points == Points::unit)
        return {0, 1, 0.5, 0.25, tiny, 1 - 0x1p-24, -0.25, -tiny, 1 + 0x1p-23, 100, -100, INFINITY, -INFINITY, NAN};
    if (points == Points::label) return {0, 1, -1, 0.5, 0.25, 2, NAN};
    return {0,  1,   -1, 0.5, -0.5, third, -third, 2,     -2,      3,        -3,       6,         -6,
            10, -10, 20, -20, 100,  -100,  tiny,   -tiny, 0x1p-10, -0x1p-10, INFINITY, -INFINITY, NAN};
}

double Drawn::number(Points points) {
    std::uniform_real_distribution<double> even(0, 1);
    double u = even(random_);
    if (points == Points::label) return below(2);
    if (points == Points::below) return -std::fabs(number(Points::real));
    if (points == Points::unit) return double(float(0.001 + 0.998 * u));
    double width = below(3) ? 8 : 80;
    return double(float(width * (2 * u - 1)));
}

double compiled_error(double found, double wanted, double scale, bool single) {
    if (std::isnan(wanted) || std::isnan(found)) return std::isnan(wanted) == std::isnan(found) ? 0 : INFINITY;
    const double largest = single ? double(FLT_MAX) : DBL_MAX, smallest = single ? double(FLT_MIN) : DBL_MIN;
    if (std::fabs(wanted) > largest) wanted = std::copysign(INFINITY, wanted);
    if (found == wanted) return 0;
    if (std::isinf(wanted) || std::isinf(found)) return INFINITY;
    if (std::fabs(wanted) < 2 * smallest && std::fabs(found) < 2 * smallest) return 0;
    return std::fabs(found - wanted) / std::max(scale, smallest);
}

NodeId field(const Graph& graph, const std::string& name) {
    for (uint32_t i = 0; i < graph.size(); ++i) {
        const Node& node = graph[NodeId(i)];
        if (node.op == Op::input && attribute<Input>(node).source == Input::Source::field &&
            attribute<Input>(node).name == name)
            return NodeId(i);
    }
    return NodeId::none;
}

} // namespace gradc::library
