// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of the elaborator that expressions and statements hand over to: accesses and
// definitions by index, scans, `if` at run time, builtin functions.
#pragma once
#include "compiler/elaborate/promotion.h"

namespace gradc {

/// object[items], inside a definition by index or not.
Term elaborate_access(Elaborator&, const ast::Expr&, const ast::Index&, Scope&);
/// sum[i, j](..) and the other reductions over indices.
Term elaborate_indexed_call(Elaborator&, const ast::Expr&, const ast::Call&, Scope&);
/// y[n, t < T] = e
Term elaborate_definition(Elaborator&, const ast::IndexDefinition&, Span, Scope&);

Term elaborate_scan(Elaborator&, const ast::Expr&, const ast::Scan&, Scope&);
/// An `if` whose condition is known at run time only.
void elaborate_choice(Elaborator&, const ast::If&, const NodeTerm& condition, Scope&);
std::optional<Term> elaborate_repeat(Elaborator&, const ast::Repeat&, Span, Scope&);
void elaborate_declaration(Elaborator&, const ast::Declaration&, Span, Scope&);

/// A function that only the compiler can compute (shapes, moves, reductions, grad): its parameters'
/// names, those from `optional` on may be absent; `many`: any number of unnamed ones come first.
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
    size_t required;
    bool many;
    Term (*run)(BuiltinCall&);
};
std::optional<int> builtin_axis(BuiltinCall&, const Term&, Span,
                                int rank); // negative ones count from the last
Term builtin_grad(BuiltinCall&);
Term builtin_concat(BuiltinCall&);
Term builtin_stack(BuiltinCall&);
Term builtin_split(BuiltinCall&);
Term builtin_pad(BuiltinCall&);
const std::vector<Builtin>& builtins();
const Builtin* find_builtin(const std::string& name);
Term call_builtin(Elaborator&, const Builtin&, std::vector<NamedTerm> arguments, Span, Scope&);

/// [a, b] of values of one shape: a tensor with a new first axis. Nothing after an error.
std::optional<NodeTerm> stacked(Elaborator&, const ListTerm&, Span);
/// Pieces of a value along `axis` (of its own axes): start, start + step, ..
NodeTerm sliced(Elaborator&, const NodeTerm&, int axis, int64_t start, int64_t step, int64_t size, Span);

} // namespace gradc
