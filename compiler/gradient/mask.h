// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a gradient is zero because `select` took the other side. The side not taken must add
// nothing, be it NaN, but zero times infinity is NaN: so each derivative behind a select is masked
// again by its condition. A mask follows the gradient through moves and sums; its nodes are built
// only when a derivative needs it. Masks are hash-consed like nodes: equal ones have one number.
#pragma once
#include "compiler/graph/graph.h"
#include <map>
#include <tuple>

namespace gradc {

enum class MaskId : uint32_t { none = UINT32_MAX }; // none: nothing is masked

class Masks {
public:
    explicit Masks(Graph& graph) : graph_(graph) {}

    /// The gradient is zero where `condition` differs from `taken`.
    MaskId of_select(NodeId condition, bool taken);
    /// Zero where either says so; either may be none.
    MaskId both(MaskId a, MaskId b);
    /// The mask of transposed(node, gradient) where `inner` is that of the gradient; none where it
    /// cannot be followed.
    MaskId moved(NodeId node, MaskId inner);

    /// `derivative`, zero where the mask says so; unchanged if it is made of `gradient` in ways that
    /// keep zeros.
    NodeId masked(NodeId derivative, NodeId gradient, MaskId mask);

private:
    struct Mask {                        // made of masks with smaller numbers
        NodeId condition = NodeId::none; // of a select
        bool taken = true;
        NodeId move = NodeId::none; // or the inner mask, carried back through this node
        MaskId inner = MaskId::none;
        MaskId other = MaskId::none; // without a move: both inner and other hold
        auto operator<=>(const Mask&) const = default;
    };
    MaskId add(const Mask& mask);
    /// bool, in the shape of the gradient: true where it counts.
    NodeId build(MaskId id);
    NodeId build_one(const Mask& mask);
    NodeId built(MaskId id) const { return built_[size_t(id)]; }
    bool waits(MaskId id) const { return id != MaskId::none && built(id) == NodeId::none; }

    Graph& graph_;
    std::vector<Mask> masks_;
    std::vector<NodeId> built_; // by mask
    std::map<Mask, MaskId> known_;
};

} // namespace gradc
