// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Derivatives of the scalar primitives in C++, for tests without the library: the formulas of primitives.grad.
#pragma once
#include "compiler/gradient/gradient.h"

namespace gradc {

/// A primitive table with exp, log, sin, cos, tanh, erf and pow declared.
std::shared_ptr<PrimitiveTable> tested_primitives();

struct TestedRules : DerivativeRules {
    NodeId elementwise_derivative(Graph&, NodeId node, int position, NodeId gradient) const override;
    /// Clause 0 stops the gradient; clause k > 0 multiplies it by k.
    NodeId custom_gradient_derivative(Graph&, NodeId node, int position, NodeId gradient) const override;
};

} // namespace gradc
