// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Settings that become flags of the trainer: constants given by name (or left to their defaults) in
// the calls of an `optimizer` line are read at run time, as scalars in f64.
#pragma once
#include "compiler/elaborate/elaborator.h"
#include <set>

namespace gradc {

class Flags {
public:
    Flags(std::string block, std::vector<Flag>& flags) : block_(std::move(block)), flags_(flags) {}

    /// The scalar that stands for a setting: a new flag `name`, whose default is `value`. `owner`:
    /// what it is a setting of ("adam").
    Term flag(Elaborator& elaborator, const ast::Parameter& setting, const std::string& owner, double value);

    size_t count() const { return flags_.size(); }
    /// Of the flags made since there were `first`, which set the rate of an optimizer, one is
    /// --learning-rate too: the first whose parameter has no default, else the first.
    void name_rate(size_t first);

    /// True for a parameter that a flag may set: a number, not a constant of the compilation.
    static bool may_be_flag(const ast::Parameter& parameter);

    /// A call inside a setting (a schedule): its named constants and its defaults become flags.
    std::optional<Term> call(Elaborator& elaborator, const ast::Call& call, Span span, Scope& scope);

private:
    std::string unused(const std::string& owner, const std::string& name) const;

    std::string block_;
    std::vector<Flag>& flags_;
    std::set<size_t> asked_for_; // numbers of flags whose parameter has no default
};

} // namespace gradc
