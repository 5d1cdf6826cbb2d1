// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reverse walk behind `gradient`, with several results and with nodes where it stops: loop bodies need both.
#pragma once
#include "compiler/gradient/gradient.h"
#include <unordered_set>

namespace gradc {

/// A result and the gradient that it receives, of the same type.
struct Seed {
    NodeId node, gradient;
};

/// For each i the sum over the seeds of gradient * d node / d wrt[i], of the type of wrt[i]; NodeId::none if that is
/// zero because no seed depends on wrt[i]. A node in `cuts` receives its gradient but passes nothing on to its inputs.
std::vector<NodeId> backpropagate(Graph&, const std::vector<Seed>& seeds, const std::vector<NodeId>& wrt,
                                  const DerivativeRules&, const std::unordered_set<NodeId>& cuts = {});

/// The gradient of each input of a scan, given those of its parts by number; NodeId::none: none. Inputs that are not
/// marked in `needed` get none.
std::vector<NodeId> scan_gradient(Graph&, NodeId scan, const std::unordered_map<int, NodeId>& part_gradients,
                                  const std::vector<bool>& needed, const DerivativeRules&);

} // namespace gradc
