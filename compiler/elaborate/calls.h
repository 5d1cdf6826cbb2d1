// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of functions, models and built-in functions: arguments, and the stack of calls under way.
#pragma once
#include "compiler/elaborate/symbols.h"

namespace gradc {

/// An argument that is already evaluated.
struct NamedTerm {
    std::string name; // "" if by position
    Term value;
    Span span = {};     // of the value; unknown for calls from C++
    Span argument = {}; // with its name
};

/// The arguments of a call in the order of the text, evaluated in `scope`.
std::vector<NamedTerm> evaluate_arguments(Elaborator& elaborator, const ast::Call& call, Scope& scope);

/// Functions whose bodies are being elaborated, outermost first. They tell recursion, and where a user's file called
/// the library.
class CallStack {
public:
    struct Call {
        const FunctionEntry* function;
        Span span; // of the call
    };
    void push(const FunctionEntry& function, Span span) { calls_.push_back({&function, span}); }
    void pop() { calls_.pop_back(); }
    const std::vector<Call>& all() const { return calls_; }
    bool holds(const FunctionEntry& function) const;

private:
    std::vector<Call> calls_;
};

} // namespace gradc
