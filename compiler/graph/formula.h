// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formulas in which stored values appear by the names of their buffers, so that no id of a node stands in them.
#pragma once
#include "compiler/graph/graph.h"
#include <string>
#include <vector>

namespace gradc {

/// One node as a formula, down to the nearest nodes with names. `names`: of nodes that are stored and have no name of
/// their own, by index, "" for others. ".." stands for what lies deeper than a line has room for.
std::string formula(const Graph&, NodeId, const std::vector<std::string>& names);

} // namespace gradc
