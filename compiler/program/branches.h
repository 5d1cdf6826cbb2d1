// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Updates under a condition that is one scalar of the run: `if t % k == 0 { w <- .. }` is w' = select(c,
// .., w) for every element. The statements of such a kernel are written once for each outcome, each in
// a branch. There a select on the condition is replaced by the chosen side, and a store of the old
// value to its own place is left out. So the side that is not taken is neither computed nor loaded nor
// stored.
#pragma once
#include "compiler/program/values.h"
#include <functional>

namespace gradc {

/// Emits a kernel once per outcome of the conditions that decide whether it stores anything.
class Branches {
public:
    Branches(Values& values, const FusedKernel& kernel, const ProgramPlan& program)
        : values_(values), kernel_(kernel), program_(program) {}

    /// Calls `body` for every outcome of the conditions under which a store can be left out.
    void run(const std::function<void()>& body) { run(body, most_conditions); }

private:
    static constexpr int most_conditions = 3; // of one kernel: each doubles its code

    void run(const std::function<void()>& body, int conditions);
    NodeId next_condition() const;
    bool may_stay(NodeId node, const Storage& place) const;

    Values& values_;
    const FusedKernel& kernel_;
    const ProgramPlan& program_;
};

/// The scalar that the condition broadcasts; none if the condition differs between elements.
NodeId uniform_condition(const Graph&, NodeId condition);

} // namespace gradc
