// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conditions that every node fulfils: number of inputs, attributes, dtypes and shapes. Graph::add checks each new node;
// `verify` checks a whole graph with its bodies and outputs, after each pass of a debug build.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Empty if the node may be added, else one line with the op, the types and the broken rule.
std::string verify_node(const Graph&, Op, const Type&, const std::vector<NodeId>& inputs, const Attributes&);

/// The first violation, with its node's number; empty if there is none. Inputs of loop bodies (carry, capture,
/// iteration) may occur in bodies only.
std::string verify(const Graph&);

/// True if a reshape from one to the other is valid: as many axes N, and equal products of the sizes before, between
/// and after them.
bool reshapes(const Shape& from, const Shape& to);

} // namespace gradc
