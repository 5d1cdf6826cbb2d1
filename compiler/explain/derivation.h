// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The derivative of a scalar by one parameter as a textbook writes it. Stations are values on the path from the
// parameter to the scalar (named values, products, loops). Between neighboring stations there is a factor of the chain
// rule, d(later) / d(earlier). Postcondition: for every station except the scalar, the adjoint is the sum over its
// factors of (adjoint of the later station) times the factor's Jacobian.
#pragma once
#include "compiler/check/gradient_check.h"
#include <optional>

namespace gradc {

/// The structure of a Jacobian that simplifies its product with a gradient.
enum class Simplified : uint8_t {
    identity,    // the gradient passes unchanged
    number,      // a single number
    diagonal,    // an elementwise product
    product,     // a contraction with another value: a matrix product, an outer product
    repetition,  // the value is broadcast: the gradients of all uses are added
    total,       // the result is a sum: each term receives its gradient
    arrangement, // a permutation of the elements
    selection,   // a selection of elements: the others receive 0
    loop,        // a loop, run in reverse
    mixture      // several of these, in sequence or added
};

/// A factor of the chain rule: the Jacobian of a later station by the station that holds the factor.
struct Factor {
    size_t later = 0; // station
    Simplified simplified = Simplified::mixture;
    std::vector<Simplified> steps; // of a mixture, from the later station back
    std::vector<NodeId> path;      // nodes on the path between the two stations, the later one last
};

/// A value of the chain and its adjoint, as nodes of Derivation::graph.
struct Station {
    NodeId node = NodeId::none;
    NodeId adjoint = NodeId::none; // the scalar's derivative by `node`
    std::string name;              // "h", "z1", "mlp.linear_1.weight"
    std::vector<Factor> factors;   // none for the scalar
};

/// The chain from a scalar to a parameter.
struct Derivation {
    std::string scalar;            // name of the train block or model
    Graph graph;                   // forward and backward; adjoints and stations carry their names
    std::vector<Station> stations; // from the scalar back to the parameter
    size_t forward = 0;            // exactly the nodes below this id belong to the forward pass
    std::vector<NodeId> adjoints;  // of all nodes on the path, stations or not
    NodeId value() const { return stations.front().node; }
    NodeId gradient() const { return stations.back().adjoint; }
};

/// The derivation for variable nodes of question.graph: one parameter, or several at once (gradient() is then that of
/// the first of them in the graph). Nothing if the scalar depends on none.
std::optional<Derivation> derive(const Question& question, const std::vector<NodeId>& parameters,
                                 const DerivativeRules& rules);

/// The derivative of one station by another with all other stations held fixed: the gradient of sum(seed * later) by
/// `earlier`, for a seed in the shape of `later`. NodeId::none if there is no path. Adds nodes to `graph`.
NodeId along(Graph& graph, const Derivation&, size_t later, size_t earlier, NodeId seed, const DerivativeRules&);

} // namespace gradc
