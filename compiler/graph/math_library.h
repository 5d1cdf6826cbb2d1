// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the declared primitives are made of, for whoever lowers them: filled from dsl/std/math.grad.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Scalar definitions of math.grad: what `primitive` computes at `element` (f32 or f64), as a graph
/// with one carry input a parameter and output "value", all scalars. Nullopt: a primitive of the
/// machine.
struct MathLibrary {
    virtual ~MathLibrary() = default;
    virtual const Graph* definition(Primitive primitive, Dtype dtype) const = 0;
};

} // namespace gradc
