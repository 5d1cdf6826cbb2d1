// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nodes as formulas of a textbook: x' is a transpose, A B a matrix product, a * b goes element by element, [a > 0] is 1
// where it holds and 0 elsewhere. A value with a name stands by its name; what has none is written out.
#pragma once
#include "compiler/graph/graph.h"
#include <map>

namespace gradc {

using Symbols = std::map<std::string, std::string>; // path of a variable -> how formulas call it: "W1"

/// What computes `id`, its own name left aside.
std::string textbook_formula(const Graph&, NodeId id, const Symbols&);
/// How others refer to it: its name, or the formula.
std::string textbook_name(const Graph&, NodeId id, const Symbols&);

/// "N x 256"; "1" for a single number.
std::string dimensions(const Shape&);

} // namespace gradc
