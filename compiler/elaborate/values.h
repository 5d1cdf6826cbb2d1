// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Terms as nodes of the current graph, as numbers and as words. A literal is weak: it is made again in the dtype of its
// partner, so that 0.1 beside an f64 is 0.1 in f64. Each function reports its errors at `span`; a poisoned term gives
// nothing, without a second report.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// The term as an operand in the current graph: a node, weak if it is a literal. Nothing after an error.
std::optional<NodeTerm> to_operand(Elaborator& elaborator, const Term& term, Span span);
/// An operand in another dtype, by a cast. A literal is made again in that dtype. The result is not weak.
NodeTerm in_dtype(Elaborator& elaborator, const NodeTerm& operand, Dtype dtype, Span span);
/// The term as a node. Without `dtype`, integers are i32 and other literals have the floating default. NodeId::none
/// after an error.
NodeId to_node(Elaborator& elaborator, const Term& term, Span span, std::optional<Dtype> dtype = {});
/// The term as a node of the floating type `dtype`. Another floating type is an error and gives NodeId::none.
NodeId to_floating_node(Elaborator& elaborator, const Term& term, Dtype dtype, Span span);

/// A number that is known when compiling. `role` begins the error message: "the size of ..". Nothing after an error.
std::optional<double> constant_number(Elaborator& elaborator, const Term& term, Span span, const char* role);
/// The same for an integer; 8 / 2 counts as one.
std::optional<int64_t> constant_integer(Elaborator& elaborator, const Term& term, Span span, const char* role);
/// A shape from a list of sizes, a single size or N. Sizes are at least 1; all bytes together are less than 2^63.
std::optional<Shape> shape_of_list(Elaborator& elaborator, const Term& term, Span span);

/// Dtype and shape without the axes of labels. Nothing if the term is no tensor; reports no error.
std::optional<Type> type_of(const Elaborator& elaborator, const Term& term);
/// For messages: "f32[N, 64]", "the constant 4".
std::string describe(const Elaborator& elaborator, const Term& term);

/// The dtype that a name of the language means; "f32" is the one of --dtype.
Dtype language_dtype(const Elaborator& elaborator, const std::string& name);
/// False after an error: bf16 stores values but has no arithmetic.
bool has_arithmetic(Elaborator& elaborator, const std::string& dtype, Span span);

/// A scalar input of the run: "step", "steps", "epoch" or a flag's input. Weak, f64.
Term run_scalar(Elaborator& elaborator, const std::string& name);
/// N as an i64 scalar of the current graph.
NodeId row_count(Elaborator& elaborator, Span span = {});

} // namespace gradc
