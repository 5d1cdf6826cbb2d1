// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reverse walk itself, for graphs with several weighed results (loop bodies) and places where
// it stops.
#pragma once
#include "compiler/gradient/gradient.h"
#include <unordered_set>

namespace gradc {

struct Seed { // `gradient` has the type of `node`
    NodeId node, gradient;
};

/// The sum over seeds of gradient * d node / d wrt[i]; NodeId::none where nothing arrives. A node
/// in `cuts` keeps what it receives and hands nothing on.
std::vector<NodeId> backpropagate(Graph&, const std::vector<Seed>& seeds, const std::vector<NodeId>& wrt,
                                  const DerivativeRules&, const std::unordered_set<NodeId>& cuts = {});

/// What each input of a scan receives, given what its parts (by number) received. Only inputs
/// marked in `needed` count.
std::vector<NodeId> scan_gradient(Graph&, NodeId scan, const std::unordered_map<int, NodeId>& part_gradients,
                                  const std::vector<bool>& needed, const DerivativeRules&);

} // namespace gradc
