// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One turn of a loop as equations: what it computes of its carries, of what it reads from outside and of its number t.
#pragma once
#include "compiler/explain/notation.h"

namespace gradc {

using LoopIteration = std::vector<std::pair<std::string, std::string>>; // left side with its sign: "h
                                                                        // <-", "u1 ="; right side

/// What output `number` of the scan's body needs, the carries on which it depends from turn to turn included.
LoopIteration iteration_equations(const Graph&, const Node& scan, int number, const Symbols&);

} // namespace gradc
