// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ranges of integers relative to N, the number of rows: which lookups and bounds hold for every N. N is at least 1 and
// known at run time only.
#pragma once
#include "compiler/graph/ranges.h"
#include <cmath>
#include <map>

namespace gradc {

/// Bounds of the form x <= number and x <= N + number, and the same below; all of them hold. An infinite bound is
/// unknown.
struct RowRange {
    double low = -HUGE_VAL, high = HUGE_VAL;
    double low_rows = -HUGE_VAL, high_rows = HUGE_VAL; // x >= N + low_rows, x <= N + high_rows
    /// True if 0 <= x < N for every N.
    bool inside_rows() const { return low >= 0 && high_rows <= -1; }
};

/// Follows the operations that occur in indices: N, iota, + - // %, min, max, select and moves. The graph must outlive
/// it.
class RowRanges {
public:
    explicit RowRanges(const Graph& graph) : graph_(graph), plain_(graph) {}
    /// The range of a node of an integer dtype; of another dtype all bounds are unknown.
    RowRange operator()(NodeId id) { return of(id, 0); }

private:
    RowRange of(NodeId id, int depth);
    RowRange compute(NodeId id, int depth);
    RowRange of_elementwise(NodeId id, int depth);
    RowRange plain(NodeId id);

    const Graph& graph_;
    IntegerRanges plain_; // ranges that hold without N
    std::map<NodeId, RowRange> known_;
};

} // namespace gradc
