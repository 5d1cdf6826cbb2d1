// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Symbolic derivatives in reverse mode, as new nodes of the same graph. Linear ops are differentiated by their
// transposed pair (transpose.h), a scan by a reverse scan, scalar primitives and custom_gradient nodes by derivative
// clauses, which the library states as text.
#pragma once
#include "compiler/graph/graph.h"
#include <optional>

namespace gradc {

/// The derivative of a function by one of its parameters, as the text states it.
struct Clause {
    std::string function, parameter;
    Span span;              // of the clause; of the function's name if there is no clause
    bool stated = false;    // there is a clause; if there is none, the argument receives no gradient
    bool surrogate = false; // declared to differ from the derivative of the function's value
};

/// Derivative clauses, elaborated on demand into the graph that is differentiated. The elaborator implements it.
struct DerivativeRules {
    virtual ~DerivativeRules() = default;
    /// The gradient of input `position` of the elementwise node `node`, when its result has `gradient`, of the result's
    /// type. NodeId::none: no gradient, because the function is constant or not differentiable there.
    virtual NodeId elementwise_derivative(Graph&, NodeId node, int position, NodeId gradient) const = 0;
    /// The same for argument `position` of a custom_gradient node. Arguments count from 0, so argument 0 is input 1.
    virtual NodeId custom_gradient_derivative(Graph&, NodeId node, int position, NodeId gradient) const = 0;
    /// The clause that `custom_gradient_derivative` applies; absent if there is no text, as for `stop_gradient`.
    virtual std::optional<Clause> clause(const Graph&, NodeId, int /*position*/) const { return {}; }
};

/// d sum(y) / d wrt[i], each of the type of wrt[i]; NodeId::none if y does not depend on it. `seed`, if given, has the
/// type of y and weights its elements: the result is a vector-Jacobian product.
std::vector<NodeId> gradient(Graph&, NodeId y, const std::vector<NodeId>& wrt, const DerivativeRules&,
                             NodeId seed = NodeId::none);

/// By node number: true if the node depends on one of `wrt` through floating nodes, themselves included. The result of
/// a custom_gradient node does not count as a path, its arguments do.
std::vector<bool> depends_on(const Graph&, const std::vector<NodeId>& wrt);

} // namespace gradc
