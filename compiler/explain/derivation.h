// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The derivative of a scalar by one parameter as a textbook writes it: stations on the way from the parameter to the
// scalar (named values, products, loops), and between neighbours a factor of the chain rule, d(later) / d(earlier).
// Post-condition: for every station but the scalar, its adjoint is the sum over its factors of (adjoint of the later
// station) times the factor's Jacobian; the product of factors along each path is one summand.
#pragma once
#include "compiler/check/gradient_check.h"
#include <optional>

namespace gradc {

/// What is left of a Jacobian once its zeros and repetitions are used.
enum class Simplified : uint8_t {
    identity,    // the gradient passes on as it is
    number,      // a single number
    diagonal,    // an elementwise product
    product,     // a contraction with another value: a matrix product, an outer product
    repetition,  // the value is used in many places: their gradients are added
    total,       // the result is a sum: its gradient goes to every summand
    arrangement, // elements change places only
    selection,   // elements are picked: the others receive nothing
    loop,        // turns of a loop, taken backwards
    mixture      // several of these behind each other or beside each other
};

struct Factor {
    size_t later = 0; // station
    Simplified simplified = Simplified::mixture;
    std::vector<Simplified> steps; // of a mixture, from the later station back
    std::vector<NodeId> path;      // nodes of the way between the two stations, the later one last
};

struct Station {
    NodeId node = NodeId::none;
    NodeId adjoint = NodeId::none; // the scalar's derivative by `node`
    std::string name;              // "h", "z1", "mlp.linear_1.weight"
    std::vector<Factor> factors;   // of the scalar alone: none
};

struct Derivation {
    std::string scalar;            // name of the train block or model
    Graph graph;                   // forward and backward; adjoints and stations carry their names
    std::vector<Station> stations; // from the scalar back to the parameter
    size_t forward = 0;            // nodes below this id, and only those, belong to the forward pass
    std::vector<NodeId> adjoints;  // of all nodes on the way, stations or not
    NodeId value() const { return stations.front().node; }
    NodeId gradient() const { return stations.back().adjoint; }
};

/// By variable nodes of question.graph, of one or of several parameters at once (gradient() is then that of the first
/// of them in the graph). Nullopt if the scalar depends on none.
std::optional<Derivation> derive(const Question& question, const std::vector<NodeId>& parameters,
                                 const DerivativeRules& rules);

/// The derivative of one station by another, all other stations held fixed: the gradient of sum(seed * later) by
/// `earlier`, for a seed in the shape of `later`. NodeId::none where there is no way. Adds nodes to `graph`.
NodeId along(Graph& graph, const Derivation&, size_t later, size_t earlier, NodeId seed, const DerivativeRules&);

} // namespace gradc
