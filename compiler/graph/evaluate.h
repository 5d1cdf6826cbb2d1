// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The oracle: computes a graph in double, one op at a time, by the plainest loops. Numbers of type f32 are rounded
// only where that is asked for (`round_f32`), so that finite differences stay smooth. Also the meaning of the scalar
// primitives, by the C library; a declared primitive that the library lacks is taken from its definition in math.grad.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

struct Tensor {
    Shape shape; // N already a number
    std::vector<double> values;
};

/// The values that `stop_gradient` held, turn by turn of loops: those of one evaluation, given back by every later one
/// of the same graph. So a difference quotient keeps constant what a derivative takes for constant.
struct HeldValues {
    std::vector<Tensor> values; // in order of evaluation
    bool known = false;         // after the first
    size_t next = 0;
};

struct Environment {
    int64_t rows = 1;
    std::unordered_map<std::string, Tensor> fields;    // "image", "#row"
    std::unordered_map<std::string, double> scalars;   // "step", "seed", "rate"; "rows" is `rows`
    std::unordered_map<std::string, Tensor> variables; // by path
    /// Called with each node and its value in order, e.g. to find the first NaN; may be empty.
    std::function<void(NodeId, const Tensor&)> observe;
    HeldValues* held = nullptr; // if given, `stop_gradient` is worth what it was in the first evaluation
    bool round_f32 = false;     // round every f32 value to a float, as compiled code does
};

/// Values of the graph's outputs, in order; an assign's value is what would be assigned.
std::vector<Tensor> evaluate(const Graph&, const Environment&);

/// Uniform number in [0, 1) for the random op: Philox 4x32-10, key (seed, stream), counter (place, row, step).
double uniform_number(uint64_t seed, uint64_t stream, uint64_t step, uint32_t row, uint32_t place, Dtype dtype);

} // namespace gradc
