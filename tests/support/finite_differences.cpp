// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A weighted sum makes a scalar of any result; its central differences.
#include "tests/support/finite_differences.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include <cmath>

namespace gradc {

NodeId weighed_sum(Graph& graph, NodeId y) {
    const Type type = graph.type(y);
    NodeId weight = build::constant(graph, 1, type.dtype, type.shape);
    for (int axis = 0; axis < type.rank(); ++axis) { // 1 / (1 + 0.37 axis-number ..): smooth and never zero
        NodeId at = build::cast(graph, build::iota(graph, type.shape, axis), type.dtype);
        NodeId scaled = build::elementwise(graph, Primitive::multiply,
                                           {at, build::constant(graph, 0.37 + 0.11 * axis, type.dtype)});
        NodeId one = build::constant(graph, 1, type.dtype);
        weight = build::elementwise(graph, Primitive::divide,
                                    {weight, build::elementwise(graph, Primitive::add, {scaled, one})});
    }
    std::vector<int> all;
    for (int axis = 0; axis < type.rank(); ++axis) all.push_back(axis);
    return build::sum(graph, build::elementwise(graph, Primitive::multiply, {y, weight}), all);
}

double gradient_error(const Graph& graph, NodeId y, NodeId gradient, const std::string& path,
                      const Environment& environment) {
    Graph value = extract(graph, {{"y", y}});
    std::vector<double> symbolic;
    Environment moved = environment;
    std::vector<double>& entries = moved.variables.at(path).values;
    if (gradient == NodeId::none) symbolic.assign(entries.size(), 0);
    else symbolic = evaluate(extract(graph, {{"g", gradient}}), environment)[0].values;
    double largest = 0, difference = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
        double before = entries[i], h = 2e-5;
        auto at = [&](double x) {
            entries[i] = x;
            return evaluate(value, moved)[0].values[0];
        };
        double numeric = (8 * (at(before + h) - at(before - h)) - (at(before + 2 * h) - at(before - 2 * h))) / (12 * h);
        entries[i] = before;
        largest = std::fmax(largest, std::fabs(numeric));
        double off = std::fabs(numeric - symbolic[i]);
        difference = off > difference || std::isnan(off) ? off : difference;
    }
    return difference / std::fmax(largest, 1e-2);
}

double derivative_error(Graph graph, NodeId y, const DerivativeRules& rules, const Environment& environment,
                        int order) {
    double worst = 0;
    for (; order > 0; --order) {
        y = weighed_sum(graph, y);
        std::vector<NodeId> variables;
        std::vector<std::string> paths;
        for (NodeId id : reachable(graph, {y}))
            if (graph[id].op == Op::variable) {
                variables.push_back(id);
                paths.push_back(attribute<VariableName>(graph[id]).path);
            }
        auto gradients = gradient(graph, y, variables, rules);
        NodeId next = NodeId::none;
        for (size_t i = 0; i < variables.size(); ++i) {
            double error = gradient_error(graph, y, gradients[i], paths[i], environment);
            worst = std::isnan(error) || error > worst ? error : worst;
            if (gradients[i] == NodeId::none) continue;
            NodeId part = weighed_sum(graph, gradients[i]);
            next = next == NodeId::none ? part : build::elementwise(graph, Primitive::add, {next, part});
        }
        if (next == NodeId::none) break;
        y = next;
    }
    return worst;
}

} // namespace gradc
