// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How operands combine. Their common dtype: literals adapt, bool and u8 count as int, int becomes float beside a float,
// two float types are an error. Their common shape: numpy's rule. Labeled axes (of definitions by index) come first and
// are matched by label, never by position.
#pragma once
#include "compiler/elaborate/values.h"

namespace gradc {

enum class Wanted : uint8_t {
    number,   // arithmetic: bool becomes int
    floating, // `/`, exp: integers become floating
    any,      // where, concat: all of one dtype
    logical   // and, or, not: bool
};

/// A term and its place in the text. An unknown span is that of the whole operation.
struct Operand {
    Term term;
    Span span;
};

/// The operands in one dtype, in their order.
struct Met {
    std::vector<NodeTerm> operands;
    bool weak = false; // the result takes the dtype of its partner
};
/// Brings operands to one dtype. `doing` names the operation in errors ("add"). Nothing after an error.
std::optional<Met> meet(Elaborator& elaborator, const std::vector<Operand>& operands, Wanted wanted, const char* doing,
                        Span span);

/// One shape for all operands.
struct Common {
    std::vector<int> labels; // the union, ascending
    Shape shape;             // the labels' sizes, then the other axes
};
/// Nothing if the shapes do not broadcast; reports no error.
std::optional<Common> common_shape(Elaborator& elaborator, const std::vector<NodeTerm>& operands);
/// The operand broadcast to a common shape, which must hold its labels.
NodeId spread(Elaborator& elaborator, const NodeTerm& operand, const Common& common, Span span);

/// An elementwise operation on operands that `meet` has brought to one dtype; they broadcast. `written`, `doing` and
/// the spans are for errors. Poisoned after an error.
Term elementwise(Elaborator& elaborator, Primitive primitive, const std::vector<NodeTerm>& operands, bool weak,
                 const std::vector<Operand>& written, const char* doing, Span span, Span op_span = {});

/// "64 is not 32", for two shapes that do not broadcast.
std::string misfit(const Shape& a, const Shape& b);
/// "x [N, 64]": the text of the operand, if short, and its shape.
std::string named(Elaborator& elaborator, const Operand& operand);

/// The value of a scalar function of constants; nothing if an argument is no constant.
std::optional<Term> fold(Elaborator& elaborator, Primitive primitive, const std::vector<Term>& arguments);

/// Moves that stay nodes of their own, so that `wrt:` can name their operands. `axes` is a permutation; `shape` has as
/// many elements as x.
NodeId permuted(Graph& graph, NodeId x, std::vector<int> axes, Span span);
NodeId reshaped(Graph& graph, NodeId x, Shape shape, Span span);

} // namespace gradc
