// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Symbolic derivatives: the gradient of sum(y) by each of `wrt`, as new nodes of the same graph. Reverse mode over the
// ids; linear ops by their transposed pair (sum/broadcast, slice/pad, gather/scatter, window/fold, contract/contract,
// scan/reverse scan); scalar primitives and custom_gradients by their clauses, which come from the library as text.
#pragma once
#include "compiler/graph/graph.h"
#include <optional>

namespace gradc {

/// What the text says of the derivative of a function by one of its arguments.
struct Clause {
    std::string function, parameter;
    Span span;              // of the clause; of the function's name where there is none
    bool stated = false;    // else the argument receives nothing
    bool surrogate = false; // differs from that of the function's value on purpose
};

/// Derivative clauses, elaborated on demand into the graph being differentiated.
struct DerivativeRules {
    virtual ~DerivativeRules() = default;
    /// What input `position` of map node `node` receives when its result receives `gradient` (of the result's shape);
    /// NodeId::none: nothing (not differentiable or zero).
    virtual NodeId elementwise_derivative(Graph&, NodeId node, int position, NodeId gradient) const = 0;
    /// The same for argument `position` (from 0, the shielded result not counted) of a custom_gradient.
    virtual NodeId custom_gradient_derivative(Graph&, NodeId node, int position, NodeId gradient) const = 0;
    /// What `shield_derivative` goes by; nothing where no text is known, as of `stop_gradient`.
    virtual std::optional<Clause> clause(const Graph&, NodeId, int /*position*/) const { return {}; }
};

/// d sum(y) / d wrt[i], each in the shape and element of wrt[i]; NodeId::none where y does not depend on it.
/// `seed`, if given, weighs y's elements (a vector-Jacobian product).
std::vector<NodeId> gradient(Graph&, NodeId y, const std::vector<NodeId>& wrt, const DerivativeRules&,
                             NodeId seed = NodeId::none);

/// True for nodes that depend on one of `wrt` through floating-point paths.
std::vector<bool> depends_on(const Graph&, const std::vector<NodeId>& wrt);

} // namespace gradc
