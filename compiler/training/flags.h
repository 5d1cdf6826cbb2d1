// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Settings that become flags of the trainer. Constants that are named, or left to their defaults, in the calls of an
// `optimizer` line are read at run time, as f64 scalars.
#pragma once
#include "compiler/elaborate/elaborator.h"
#include <set>

namespace gradc {

/// The flags of one train block, added to a list that is not owned.
class Flags {
public:
    Flags(std::string block, std::vector<Flag>& flags) : block_(std::move(block)), flags_(flags) {}

    /// Makes a flag for a setting, with the default `value`, and returns its scalar (weak, f64). `owner`: the function
    /// that has the setting ("adam").
    Term flag(Elaborator& elaborator, const ast::Parameter& setting, const std::string& owner, double value);

    size_t count() const { return flags_.size(); }
    /// Gives the name --learning-rate to one of the flags numbered `first` and above, which set the rate of an
    /// optimizer: the first whose parameter has no default, else the first.
    void name_rate(size_t first);

    /// True for a parameter that a flag can set: a scalar number that is not `const`.
    static bool may_be_flag(const ast::Parameter& parameter);

    /// A call inside a setting, such as a schedule: its named constants and its defaults become flags. Nothing if it is
    /// no function with a body.
    std::optional<Term> call(Elaborator& elaborator, const ast::Call& call, Span span, Scope& scope);

private:
    std::string unused(const std::string& owner, const std::string& name) const;

    std::string block_;
    std::vector<Flag>& flags_;
    std::set<size_t> asked_for_; // numbers of flags whose parameter has no default
};

} // namespace gradc
