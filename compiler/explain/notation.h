// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nodes as formulas of a textbook: x' is a transpose, A B a matrix product, a * b elementwise, and [a > 0] is 1 where
// the condition holds, else 0. A value with a name is shown by its name, others by their formulas.
#pragma once
#include "compiler/graph/graph.h"
#include <map>

namespace gradc {

using Symbols = std::map<std::string, std::string>; // path of a variable -> its name in formulas: "W1"

/// The formula of `id`, without its own name.
std::string textbook_formula(const Graph&, NodeId id, const Symbols&);
/// The node inside other formulas: its name, or its formula.
std::string textbook_name(const Graph&, NodeId id, const Symbols&);

/// A shape in words: "N x 256"; "1" for a scalar.
std::string dimensions(const Shape&);

} // namespace gradc
