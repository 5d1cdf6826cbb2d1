// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Built-in functions: shapes, moves, reductions and `grad`, which the language cannot define. dsl/README.md documents
// each of them.
#pragma once
#include "compiler/elaborate/promotion.h"

namespace gradc {

/// The arguments of one call, by parameter; absent ones are empty. `many` holds unnamed arguments of any number.
struct BuiltinCall {
    Elaborator& elaborator;
    Scope& scope;
    Span span;
    std::vector<Operand> many;
    std::vector<std::optional<Operand>> arguments;
    const Term& at(size_t i) const { return arguments[i]->term; }
};

struct Builtin {
    const char* name;
    std::vector<const char*> parameters;
    size_t required;           // how many of the first parameters must be given
    bool many;                 // takes any number of unnamed arguments first
    Term (*run)(BuiltinCall&); // poisoned after an error
};

const std::vector<Builtin>& builtins();
/// Null if no built-in function has this name.
const Builtin* find_builtin(const std::string& name);
/// Places the arguments and runs the function; errors of placing are reported at `span`.
Term call_builtin(Elaborator& elaborator, const Builtin& builtin, std::vector<NamedTerm> arguments, Span span,
                  Scope& scope);

/// An axis from 0 to rank - 1; negative ones count from the last. Nothing after an error.
std::optional<int> builtin_axis(BuiltinCall& call, const Term& term, Span span, int rank);

// Those of builtins_parts.cpp.
Term builtin_grad(BuiltinCall& call);
Term builtin_concat(BuiltinCall& call);
Term builtin_stack(BuiltinCall& call);
Term builtin_split(BuiltinCall& call);
Term builtin_pad(BuiltinCall& call);

/// [a, b] of k values of one shape S: a tensor [k, S]. Nothing after an error.
std::optional<NodeTerm> stacked(Elaborator& elaborator, const ListTerm& list, Span span);

} // namespace gradc
