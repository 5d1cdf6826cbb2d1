// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Derivative clauses compared with the formulas of their functions. A surrogate clause differs from its formula on
// purpose: for finite differences its function is replaced by one with the declared derivative, so that the rest of the
// model is compared. Other clauses are compared call by call, to find the wrong one.
#pragma once
#include "compiler/check/differences.h"
#include <set>

namespace gradc {

/// A graph for difference quotients around a point x0. The result y of each function with surrogate clauses is
/// y0 + J (x - x0), with the declared derivative J; y0 and x0 are values that Environment::held keeps constant. So the
/// outputs at x0 are unchanged.
struct Followed {
    Graph graph;
    bool any = false; // a function with surrogate clauses was found
    /// Clauses that are not linear in `g`, by CustomGradient::clause. No function has such a derivative: y is y0.
    std::set<uint64_t> bent = {};
};
/// Makes such a graph. Evaluate it once at x0 with a new Environment::held before any difference quotient.
Followed follow_surrogates(const Graph&, const DerivativeRules&);

/// True if the derivative by variable `path` passes through a clause of `bent`.
bool passes_through(const Graph&, const std::string& path, const std::set<uint64_t>& bent);

/// The derivative of one function by one argument, compared at all its calls.
struct ClauseDifference {
    Clause clause;
    double error = 0;                    // as in DifferenceResult, the largest of all calls
    double declared = 0, difference = 0; // symbolic and numeric, where they differ most
};

/// Every clause that occurs in what the outputs of `graph` reach, in order of the text. Calls are evaluated at
/// `environment`; a call in a loop in the first iteration alone.
std::vector<ClauseDifference> compare_clauses(const Graph&, const Environment&, const DerivativeRules&);

} // namespace gradc
