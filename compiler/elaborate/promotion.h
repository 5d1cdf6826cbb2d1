// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How operands meet: their common element by idea 4 of the language (literals adapt, bool and u8
// count as int, int becomes float beside a float, two float types are an error) and their common
// shape by numpy's rule. Labelled axes (of definitions by index) come first and are matched by
// label, never by place.
#pragma once
#include "compiler/elaborate/elaborator.h"

namespace gradc {

enum class Wanted : uint8_t {
    number,   // arithmetic: bool becomes int
    floating, // `/`, exp: whole numbers become floating
    any,      // where, concat: all of one element
    logical   // and, or, not: bool
};

struct Operand {
    Term term;
    Span span;
};

/// The operands in one element. Nothing after an error, which is reported with `span` and `doing`
/// ("add").
struct Met {
    std::vector<NodeTerm> operands;
    bool weak = false; // the result is a number of the run without a type of its own
};
std::optional<Met> meet(Elaborator&, const std::vector<Operand>&, Wanted, const char* doing, Span span);

/// One shape for all: union of the labels (ascending), then the rest by numpy's rule.
struct Common {
    std::vector<int> labels;
    Shape shape; // labels' sizes, then the rest
};
std::optional<Common> common_shape(Elaborator&, const std::vector<NodeTerm>&);
NodeId spread(Elaborator&, const NodeTerm&, const Common&, Span span);

/// A map over operands that already have the right elements. `doing` and spans name what does not
/// fit.
Term elementwise(Elaborator&, Primitive, const std::vector<NodeTerm>&, bool weak, const std::vector<Operand>& written,
                 const char* doing, Span span, Span op_span = {});

/// "64 is not 32", for two shapes that do not broadcast.
std::string misfit(const Shape& a, const Shape& b);
/// "x [N, 64]": the text at span, if short, and the term's shape.
std::string named(Elaborator&, const Operand&);

/// The value of a scalar function of constants; nothing where it has none.
std::optional<Term> fold(Elaborator&, Primitive, const std::vector<Term>&);

/// Moves that stay nodes of their own, so that `wrt:` can name what they come from.
NodeId permuted(Graph&, NodeId, std::vector<int> axes, Span span);
NodeId reshaped(Graph&, NodeId, Shape shape, Span span);

/// `@` for one or two and more axes on either side; the axes before are batches.
Term matmul(Elaborator&, const Operand& left, const Operand& right, Span span, Span op_span);
Term transpose(Elaborator&, const Operand&, Span span);
Term power(Elaborator&, const Operand& base, const Operand& exponent, Span span, Span op_span);

} // namespace gradc
