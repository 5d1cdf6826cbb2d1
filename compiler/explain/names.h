// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What formulas call the values of a derivation: each name means one value. Parameters of a layer become W1, b1, ..;
// what the model names keeps its name (with a number where it is used again: h1, h2); stations without a name are z1,
// z2, .., other values that the way back needs t1, t2, ..; the adjoint of h is dL/dh.
#pragma once
#include "compiler/explain/derivation.h"
#include "compiler/explain/notation.h"

namespace gradc {

/// Renames nodes of derivation.graph and stations; returns the symbols of the variables.
Symbols name_values(Derivation&, const Question&);

/// Forward values, no leaves, that are operands of the way back (seen through broadcasts and the like), ascending.
std::vector<NodeId> values_read_back(const Derivation&);

} // namespace gradc
