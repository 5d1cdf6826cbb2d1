// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ranges of numbers, so that lookups can be shown to stay inside their table. Each node gets an interval that holds all
// its elements, from constants, declared input ranges, iota and arithmetic; floating intervals are followed where they
// are finite (then no NaN is possible), for the casts to whole numbers. Computed on demand and remembered, while the
// graph may grow.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

struct Range { // of whole numbers, both ends included
    int64_t low, high;
    bool inside(int64_t least, int64_t most) const { return low >= least && high <= most; }
    friend bool operator==(const Range&, const Range&) = default;
};

/// All numbers of a whole element.
Range range_of(Dtype dtype);

class IntegerRanges {
public:
    /// `batch`: the largest number of rows; 0 where it is not known.
    explicit IntegerRanges(const Graph& graph, int64_t batch = 0) : graph_(graph), batch_(batch) {}
    /// The range of a whole node.
    Range operator()(NodeId id);

private:
    struct Interval { // of doubles; infinite ends: unknown, for floating nodes possibly NaN
        double low, high;
        bool known = false; // computed
    };
    friend struct RangeRules;
    Interval compute(NodeId id);
    const Interval& interval(NodeId id);

    const Graph& graph_;
    int64_t batch_;
    std::vector<Interval> intervals_;
    std::vector<Interval> captures_; // of a loop body: the intervals of what it captures
};

} // namespace gradc
