// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An algebraic identity as a pair of pattern graphs. A pattern matches elementwise maps of any shape; a wildcard matches
// any value, the same wherever it stands.
#pragma once
#include "compiler/graph/graph.h"
#include "dsl/source.h"
#include <functional>
#include <memory>

namespace gradc {

struct Wildcard {
    std::string name;
    NodeId node;           // Op::input, source field, named as in the rule, f32 scalar, in PatternRule::graph
    bool constant = false; // it stands in the condition: only a constant of one value matches
};

struct PatternRule {
    std::string text;   // as written: "log(exp(x)) -> x"
    bool exact = false; // holds for inf and NaN as well
    Span span;
    Graph graph; // holds both sides, without custom_gradients; numbers are f32 scalar constants
    NodeId left = NodeId::none, right = NodeId::none;
    std::vector<Wildcard> wildcards; // in order of their first place on the left
    /// Values of the constant wildcards, in order; empty where there is no `when`.
    std::function<bool(const std::vector<double>&)> condition;
    /// Where the texts of its files are, for diagnostics; they move when the elaboration ends.
    std::shared_ptr<Sources* const> sources = {};
};

} // namespace gradc
