// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ranges of numbers, to prove that lookups stay inside their table. Each node gets an interval that holds all its
// elements, from constants, declared ranges of inputs, iota and arithmetic. Floating intervals matter for casts to
// integers; they are known only while they are finite, which excludes NaN.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

/// Integers from `low` to `high`, both included.
struct Range {
    int64_t low, high;
    /// True if all of them lie in [least, most].
    bool inside(int64_t least, int64_t most) const { return low >= least && high <= most; }
    friend bool operator==(const Range&, const Range&) = default;
};

/// All numbers of an integer dtype.
Range range_of(Dtype dtype);

/// Computes intervals on demand and keeps them. The graph must outlive it and may grow meanwhile.
class IntegerRanges {
public:
    /// `batch`: the largest number of rows; 0 if unknown.
    explicit IntegerRanges(const Graph& graph, int64_t batch = 0) : graph_(graph), batch_(batch) {}
    /// The range of a node of an integer dtype; of another dtype it throws InternalError.
    Range operator()(NodeId id);

private:
    struct Interval { // of doubles; infinite ends: unknown, and a floating node may be NaN
        double low, high;
        bool known = false; // computed
    };
    friend struct RangeRules;
    Interval compute(NodeId id);
    const Interval& interval(NodeId id);

    const Graph& graph_;
    int64_t batch_;
    std::vector<Interval> intervals_; // by node
    std::vector<Interval> captures_;  // of a loop body: the intervals of its captures
};

} // namespace gradc
