// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Updates that hang on one truth value of the run: `if t % k == 0 { w <- .. }` is w' = select(c,
// .., w) for every element. Such a kernel's statements are written once for each outcome, each in a
// branch of its own, in which a select on the condition is one of its sides and a store that would
// write back what lies there is left out; so the side not taken is neither computed nor read nor
// stored.
#pragma once
#include "compiler/program/values.h"
#include <functional>

namespace gradc {

class Branches {
public:
    Branches(Values& values, const FusedKernel& kernel, const ProgramPlan& program)
        : values_(values), kernel_(kernel), program_(program) {}

    /// Writes what `body` writes under every outcome of the conditions that leave a store out.
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

/// The scalar that a condition repeats for all elements; none if it differs among them.
NodeId uniform_condition(const Graph&, NodeId condition);

} // namespace gradc
