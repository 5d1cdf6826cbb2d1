// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Inputs of a random graph, the same for the same seed. Integers are in their range, floating numbers are exact as
// floats, and rows are numbered as in a larger data set.
#include "tests/support/random_graph.h"
#include <random>

namespace gradc {

Environment random_environment(const Graph& graph, uint64_t seed, int64_t rows_here) {
    std::mt19937_64 chance(seed * 7 + 3);
    Environment result;
    result.rows = rows_here;
    auto tensor = [&](const Type& type, int64_t low, int64_t high) {
        Tensor value{type.shape, {}};
        for (int64_t& size : value.shape)
            if (size == rows) size = rows_here;
        for (int64_t i = 0; i < count(value.shape, 1); ++i) {
            int64_t span = high - low + 1;
            value.values.push_back(floating(type.dtype) ? (double(chance() % 4096) - 2047.5) / 2048
                                                        : double(low + int64_t(chance() % uint64_t(span))));
        }
        return value;
    };
    for (uint32_t i = 0; i < graph.size(); ++i) {
        const Node& node = graph[NodeId{i}];
        if (node.op == Op::variable) result.variables[attribute<VariableName>(node).path] = tensor(node.type, 0, 0);
        if (node.op != Op::input) continue;
        const Input& input = attribute<Input>(node);
        bool ranged = input.low <= input.high;
        if (input.name == "#row") {
            Tensor numbers{{rows_here}, {}};
            for (int64_t r = 0; r < rows_here; ++r) numbers.values.push_back(double(r * 3 + 1));
            result.fields[input.name] = numbers;
        } else if (input.source == Input::Source::field)
            result.fields[input.name] = tensor(node.type, ranged ? input.low : 0, ranged ? input.high : 9);
        else if (input.source == Input::Source::scalar)
            result.scalars[input.name] = input.name == "rate" ? 0.125 : input.name == "step" ? 3 : 41;
    }
    return result;
}

} // namespace gradc
