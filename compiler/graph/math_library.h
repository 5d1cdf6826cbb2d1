// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Definitions of the declared primitives, for lowering. The elaborator makes them from dsl/std/math.grad.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Scalar definitions of primitives by other primitives.
struct MathLibrary {
    virtual ~MathLibrary() = default;
    /// The definition at `dtype`, f32 or f64: a graph of scalars with one carry input for each operand and the output
    /// "value". Owned by the library. Nullptr: the machine computes the primitive by itself.
    virtual const Graph* definition(Primitive primitive, Dtype dtype) const = 0;
};

} // namespace gradc
