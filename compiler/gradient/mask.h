// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a gradient is zero because a `select` took its other side. The side that is not taken must add nothing to a
// gradient, even if its derivative is infinite; but zero times infinity is NaN. So each derivative below a select is
// masked again by the select's condition. A mask follows the gradient through moves and sums, and its nodes are built
// only where a derivative needs them. Masks are hash-consed like nodes: equal masks have one number.
#pragma once
#include "compiler/graph/graph.h"
#include <map>
#include <tuple>

namespace gradc {

/// A mask of one `Masks`.
enum class MaskId : uint32_t { none = UINT32_MAX }; // none: nothing is masked

/// The masks of one reverse walk. The graph must outlive it.
class Masks {
public:
    explicit Masks(Graph& graph) : graph_(graph) {}

    /// The gradient is zero where `condition`, a bool tensor of the gradient's shape, differs from `taken`.
    MaskId of_select(NodeId condition, bool taken);
    /// The gradient is zero where either mask says so. Either may be none.
    MaskId both(MaskId a, MaskId b);
    /// The mask of transposed(node, gradient), if `inner` is the mask of `gradient`; none if the mask cannot be
    /// followed through this node.
    MaskId moved(NodeId node, MaskId inner);

    /// `derivative`, set to zero where the mask says so. Unchanged if it is computed from `gradient` by operations that
    /// keep its zeros.
    NodeId masked(NodeId derivative, NodeId gradient, MaskId mask);

private:
    /// One of three: a condition; a move and the inner mask that is carried back through it; two masks that both hold,
    /// `inner` and `other`. Masks refer to masks with smaller numbers.
    struct Mask {
        NodeId condition = NodeId::none;
        bool taken = true;
        NodeId move = NodeId::none;
        MaskId inner = MaskId::none;
        MaskId other = MaskId::none;
        auto operator<=>(const Mask&) const = default;
    };
    /// Finds the equal mask or adds a new one.
    MaskId add(const Mask& mask);
    /// A bool tensor of the gradient's shape: true where the gradient may be other than zero.
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
