// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random well-typed graphs with every kind of op, and values for their inputs, the same for the same seed. Values stay
// small (results that could grow are squashed), and lookups stay in range.
#pragma once
#include "compiler/graph/evaluate.h"

namespace gradc {

struct RandomGraphOptions {
    int nodes = 24;           // ops tried
    Dtype dtype = Dtype::f32; // of the floating values
    bool has_rows = true;     // some values have N
    bool smooth = false;      // no jumps, kinks or divisions, so that finite differences hold
    bool scans = true;
    bool random_numbers = true;
    bool stops = true; // stop_gradient, whose derivative is not that of its value
    /// Bounds by other indices, stop_gradient, truth as a number, `//` and `%`, lookups among the rows.
    bool wider = true;
};

/// Variables "w0".., fields "x0" (floating), "i0" (integer), scalar "rate"; outputs "loss" (scalar),
/// then some of the values. Declared primitives are used as far as the table has them (exp, sin,
/// cos, tanh, erf).
Graph random_graph(uint64_t seed, std::shared_ptr<PrimitiveTable> primitives, const RandomGraphOptions& = {});

/// Numbers for all inputs of a graph: integers in their range, floating ones in (-1, 1) and
/// exact in float.
Environment random_environment(const Graph&, uint64_t seed, int64_t rows);

} // namespace gradc
