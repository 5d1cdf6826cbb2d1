// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What must hold of every node: number of inputs, attributes, elements and shapes. Graph::add
// checks each new node; `verify` checks a whole graph, its bodies and outputs, between passes.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Empty if the node may be added, else what is wrong with it.
std::string verify_node(const Graph&, Op, const Type&, const std::vector<NodeId>& inputs, const Attributes&);

/// The first violation, with its node's number; empty if there is none. A whole graph has no free
/// body inputs.
std::string verify(const Graph&);

/// True if a reshape from one to the other keeps every N in place: the sizes between N's have equal
/// products.
bool reshapes(const Shape& from, const Shape& to);

} // namespace gradc
