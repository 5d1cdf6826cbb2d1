// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One iteration of a loop as equations of its carries, of outer values and of its number t.
#pragma once
#include "compiler/explain/notation.h"

namespace gradc {

using LoopIteration = std::vector<std::pair<std::string, std::string>>; // left side with its sign: "h
                                                                        // <-", "u1 ="; right side

/// The equations that output `number` of the scan's body needs, including the carries that it depends on between
/// iterations.
LoopIteration iteration_equations(const Graph&, const Node& scan, int number, const Symbols&);

} // namespace gradc
