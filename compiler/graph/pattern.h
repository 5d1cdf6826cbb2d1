// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An algebraic identity of dsl/std/algebra.grad as a pair of pattern graphs. A pattern matches elementwise nodes of any
// shape. A wildcard matches any value, and the same value wherever the pattern repeats it.
#pragma once
#include "compiler/graph/graph.h"
#include "dsl/source.h"
#include <functional>
#include <memory>

namespace gradc {

/// A name of the rule that stands for any value.
struct Wildcard {
    std::string name;
    NodeId node;           // in PatternRule::graph: an f32 scalar field named as in the rule
    bool constant = false; // the condition reads it: only a constant of one value matches
};

/// left -> right, where `condition` holds.
struct PatternRule {
    std::string text;   // as written: "log(exp(x)) -> x"
    bool exact = false; // holds for infinities and NaN too; else for finite numbers, up to rounding
    Span span;
    Graph graph; // both sides, without custom_gradient nodes; numbers are f32 scalar constants
    NodeId left = NodeId::none, right = NodeId::none;
    std::vector<Wildcard> wildcards; // in order of their first occurrence in `left`
    /// Takes the values of the constant wildcards, in order. Empty if the rule has no `when`.
    std::function<bool(const std::vector<double>&)> condition;
    /// The texts of the rule's file, for diagnostics. Shared, because the elaborator moves them when it ends.
    std::shared_ptr<Sources* const> sources = {};
};

} // namespace gradc
