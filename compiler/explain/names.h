// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names of values in formulas: each name means one value. Parameters of a layer become W1, b1, .. Values with a name in
// the model keep it, numbered if it is used again: h1, h2. Stations without a name are z1, z2, .., and other values
// that the backward pass needs are t1, t2, .. The adjoint of h is dL/dh.
#pragma once
#include "compiler/explain/derivation.h"
#include "compiler/explain/notation.h"

namespace gradc {

/// Renames the nodes of derivation.graph and the stations. Returns the symbols of the variables.
Symbols name_values(Derivation&, const Question&);

/// Forward values that are operands of the backward pass, also through moves such as broadcasts; no leaves. Ascending.
std::vector<NodeId> values_read_back(const Derivation&);

} // namespace gradc
