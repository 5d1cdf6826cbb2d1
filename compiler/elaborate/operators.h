// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of the language on terms. Constants give constants; a poisoned operand gives a poisoned result. Errors
// are reported at `span`, or at the operator if `op_span` is known.
#pragma once
#include "compiler/elaborate/promotion.h"

namespace gradc {

/// left op right. Dtypes and shapes combine as promotion.h describes.
Term apply(Elaborator& elaborator, ast::BinaryOperator op, const Term& left, const Term& right, Span span,
           Span left_span = {}, Span right_span = {}, Span op_span = {});
Term negated(Elaborator& elaborator, const Term& operand, Span span);
/// `yes` where `condition` (bool) is true, else `no`; all three broadcast.
Term selected(Elaborator& elaborator, const Term& condition, const Term& yes, const Term& no, Span span);

/// left @ right: [.., n, k] @ [.., k, m] = [.., n, m]. One axis on a side is a vector; the axes in front broadcast.
Term matmul(Elaborator& elaborator, const Operand& left, const Operand& right, Span span, Span op_span);
/// x' swaps the last two axes.
Term transpose(Elaborator& elaborator, const Operand& operand, Span span);
/// base ^ exponent. Exponents 1 to 4 are products, which keeps integers; 0.5 is a square root.
Term power(Elaborator& elaborator, const Operand& base, const Operand& exponent, Span span, Span op_span);

} // namespace gradc
