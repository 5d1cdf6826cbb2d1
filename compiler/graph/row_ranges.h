// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ranges of whole numbers beside N, the number of rows: which lookups and bounds hold for every row
// count. N is 1 at least and known to the run only.
#pragma once
#include "compiler/graph/ranges.h"
#include <cmath>
#include <map>

namespace gradc {

/// Each end is a number, or N and a number; the better of both holds. Infinite: not known.
struct RowRange {
    double low = -HUGE_VAL, high = HUGE_VAL;
    double low_rows = -HUGE_VAL, high_rows = HUGE_VAL; // x >= N + low_rows, x <= N + high_rows
    bool inside_rows() const { return low >= 0 && high_rows <= -1; }
};

/// Follows what indices are made of: N, iota, + - // %, min, max, select and moves.
class RowRanges {
public:
    explicit RowRanges(const Graph& graph) : graph_(graph), plain_(graph) {}
    /// The range of a whole node.
    RowRange operator()(NodeId id) { return of(id, 0); }

private:
    RowRange of(NodeId id, int depth);
    RowRange compute(NodeId id, int depth);
    RowRange of_elementwise(NodeId id, int depth);
    RowRange plain(NodeId id);

    const Graph& graph_;
    IntegerRanges plain_; // of any number of rows
    std::map<NodeId, RowRange> known_;
};

} // namespace gradc
