// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reference for all later stages: computes a graph in double, one op at a time, by plain loops. f32 values are not
// rounded to floats unless `round_f32` is set, so that finite differences stay smooth. Scalar primitives are computed
// by the C library; a declared primitive that the C library lacks is computed by its definition in math.grad.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Numbers in C order, whatever the dtype.
struct Tensor {
    Shape shape;                // with a number in place of N
    std::vector<double> values; // count(shape, 1) of them
};

/// Values of the `stop_gradient` nodes, in every iteration of every loop. The first evaluation with this object records
/// them; later evaluations of the same graph use the recorded values in place of computed ones. So a difference
/// quotient keeps the same nodes constant as the derivative does.
struct HeldValues {
    std::vector<Tensor> values; // in order of evaluation
    bool known = false;         // true after the first evaluation
    size_t next = 0;            // place in `values` of the next node to be evaluated
};

/// Values of all inputs that a graph reads. A missing one, or one of another shape, throws InternalError.
struct Environment {
    int64_t rows = 1;                                  // N
    std::unordered_map<std::string, Tensor> fields;    // "image"; "#row" is 0, 1, .. if absent
    std::unordered_map<std::string, double> scalars;   // "step", "seed", "rate"; "rows" is not needed
    std::unordered_map<std::string, Tensor> variables; // by path
    /// If not empty, called with each node outside of loops and its value, in order of evaluation.
    std::function<void(NodeId, const Tensor&)> observe;
    HeldValues* held = nullptr; // not owned; null: `stop_gradient` is computed like any node
    bool round_f32 = false;     // round every f32 value to a float, as compiled code does
};

/// Values of the graph's outputs, in order. The value of an assign is the one that it assigns; nothing is assigned.
std::vector<Tensor> evaluate(const Graph&, const Environment&);

/// A number of the op `random`, uniform in [0, 1), with the resolution of `dtype`. random.h has the counter and the
/// key.
double uniform_number(uint64_t seed, uint64_t stream, uint64_t step, uint32_t row, uint32_t place, Dtype dtype);

} // namespace gradc
