// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Derivative clauses beside the formulas of their functions. A surrogate clause differs from its formula on purpose:
// for finite differences its function is replaced by one that has the declared derivative, so that everything around
// it is compared. Which other clause is wrong is found call by call.
#pragma once
#include "compiler/check/differences.h"
#include <set>

namespace gradc {

/// A graph of the same outputs and the same value at the center, where `stop_gradient` is held: the result y of a
/// function with surrogate clauses is y0 + J (x - x0), with J as declared.
struct Followed {
    Graph graph;
    bool any = false; // a surrogate was there
    std::set<uint64_t> bent =
        {}; // custom_gradients whose clause is not linear in `g`: no function has that derivative; y is y0
};
Followed follow_surrogates(const Graph&, const DerivativeRules&);

/// True if a derivative by variable `path` goes through a clause of `bent`.
bool passes_through(const Graph&, const std::string& path, const std::set<uint64_t>& bent);

/// The derivative of one function by one argument, at the calls and turns that are compared.
struct ClauseDifference {
    Clause clause;
    double error = 0;                    // as in DifferenceResult, the largest of all calls
    double declared = 0, difference = 0; // of the entry that differs most
};

/// Every clause that `graph` goes by, in order of the text, at `environment`; loops in their first turn.
std::vector<ClauseDifference> compare_clauses(const Graph&, const Environment&, const DerivativeRules&);

} // namespace gradc
