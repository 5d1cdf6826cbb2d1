// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations on constants are folded; others become elementwise nodes and contractions.
#include "compiler/elaborate/operators.h"
#include "compiler/graph/row_ranges.h"
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace gradc {

using ast::BinaryOperator;

namespace {

struct Meaning {
    Primitive primitive;
    Wanted wanted;
    const char* doing;
    bool swapped = false, negated = false; // a > b is b < a, a != b is not a == b
};

Meaning meaning(BinaryOperator op) {
    switch (op) {
    case BinaryOperator::logical_or: return {Primitive::logical_or, Wanted::logical, "or"};
    case BinaryOperator::logical_and: return {Primitive::logical_and, Wanted::logical, "and"};
    case BinaryOperator::equal: return {Primitive::equal, Wanted::number, "compare"};
    case BinaryOperator::not_equal: return {Primitive::equal, Wanted::number, "compare", false, true};
    case BinaryOperator::less: return {Primitive::less, Wanted::number, "compare"};
    case BinaryOperator::less_equal: return {Primitive::less_equal, Wanted::number, "compare"};
    case BinaryOperator::greater: return {Primitive::less, Wanted::number, "compare", true};
    case BinaryOperator::greater_equal: return {Primitive::less_equal, Wanted::number, "compare", true};
    case BinaryOperator::add: return {Primitive::add, Wanted::number, "add"};
    case BinaryOperator::subtract: return {Primitive::subtract, Wanted::number, "subtract"};
    case BinaryOperator::multiply: return {Primitive::multiply, Wanted::number, "multiply"};
    case BinaryOperator::divide: return {Primitive::divide, Wanted::floating, "divide"};
    case BinaryOperator::floor_divide: return {Primitive::quotient, Wanted::number, "divide"};
    case BinaryOperator::modulo: return {Primitive::remainder, Wanted::number, "take the remainder of"};
    case BinaryOperator::matmul:
    case BinaryOperator::power: break;
    }
    return {Primitive::add, Wanted::number, "combine"};
}

/// N == N and the like are known when compiling.
std::optional<Term> compare_rows(BinaryOperator op, const Term& left, const Term& right) {
    if (!left.as<RowsSize>() || !right.as<RowsSize>()) return {};
    if (op == BinaryOperator::equal) return truth(true);
    if (op == BinaryOperator::not_equal) return truth(false);
    return {};
}

/// A string is equal to the same string, and to no other constant.
Term text_equality(BinaryOperator op, const Term& left, const Term& right) {
    auto a = left.as<ConstantText>(), b = right.as<ConstantText>();
    return truth((a && b && a->value == b->value) == (op == BinaryOperator::equal));
}

bool rounds_down(BinaryOperator op) { return op == BinaryOperator::floor_divide || op == BinaryOperator::modulo; }

/// `//` and `%` of integers by a divisor that is never 0. The primitives divide by positive numbers: a // -b is -a //
/// b, and a % -b is -(-a % b). False after an error.
bool made_positive(Elaborator& elaborator, Met& met, const Operand& by, Span span, bool& turned) {
    Graph& graph = elaborator.graph();
    NodeId divisor = met.operands[1].node;
    if (floating(graph.type(divisor).dtype)) return true;
    Range range = elaborator.levels.range(divisor);
    turned = range.high < 0;
    if (turned)
        for (NodeTerm& each : met.operands) each.node = build::elementwise(graph, Primitive::negate, {each.node}, span);
    if (turned || range.low > 0 || RowRanges(graph)(divisor).low > 0) return true;
    elaborator.error(Code::out_of_range, by.span.known() ? by.span : span,
                     range.low < 0 && range.high > 0 ? "this divisor may be 0 or change its sign"
                     : range.high > 0                ? "this divisor may be 0"
                                                     : "integers cannot be divided by 0",
                     range.low > range_of(Dtype::i32).low
                         ? fmt::format("its range is {}..{}", range.low, range.high + 1)
                         : "this number has no known bounds",
                     "keep it above 0: `max(.., 1)`");
    return false;
}

} // namespace

Term apply(Elaborator& elaborator, BinaryOperator op, const Term& left, const Term& right, Span span, Span left_span,
           Span right_span, Span op_span) {
    if (left.poisoned() || right.poisoned()) return {};
    std::vector<Operand> written{{left, left_span}, {right, right_span}};
    if (op == BinaryOperator::matmul) return matmul(elaborator, written[0], written[1], span, op_span);
    if (op == BinaryOperator::power) return power(elaborator, written[0], written[1], span, op_span);
    if (auto known = compare_rows(op, left, right)) return *known;
    bool equality = op == BinaryOperator::equal || op == BinaryOperator::not_equal;
    bool texts = left.as<ConstantText>() || right.as<ConstantText>();
    if (equality && texts && constant(left) && constant(right)) return text_equality(op, left, right);
    Meaning is = meaning(op);
    auto by = right.as<ConstantNumber>();
    bool by_zero = by && by->value == 0 && by->kind != ConstantNumber::Kind::real;
    auto folded = rounds_down(op) && by_zero ? std::nullopt
                  : is.swapped               ? fold(elaborator, is.primitive, {right, left})
                                             : fold(elaborator, is.primitive, {left, right});
    if (folded) return is.negated ? truth(folded->as<ConstantNumber>()->value == 0) : *folded;
    auto met = meet(elaborator, written, is.wanted, is.doing, span);
    if (!met) return {};
    if (is.swapped) std::swap(met->operands[0], met->operands[1]);
    bool weak = met->weak && std::string_view(is.doing) != "compare", turned = false;
    if (rounds_down(op) && !made_positive(elaborator, *met, written[1], span, turned)) return {};
    Term result = elementwise(elaborator, is.primitive, met->operands, weak, written, is.doing, span, op_span);
    auto node = result.as<NodeTerm>();
    if (turned && node && op == BinaryOperator::modulo)
        return elaborator.term(build::elementwise(elaborator.graph(), Primitive::negate, {node->node}, span),
                               node->labels);
    if (!is.negated || !node) return result;
    return elaborator.term(build::elementwise(elaborator.graph(), Primitive::logical_not, {node->node}, span),
                           node->labels);
}

Term negated(Elaborator& elaborator, const Term& operand, Span span) {
    if (operand.poisoned()) return {};
    if (auto folded = fold(elaborator, Primitive::negate, {operand})) return *folded;
    std::vector<Operand> written{{operand, span}};
    auto met = meet(elaborator, written, Wanted::number, "negate", span);
    if (!met) return {};
    return elementwise(elaborator, Primitive::negate, met->operands, met->weak, written, "negate", span);
}

Term selected(Elaborator& elaborator, const Term& condition, const Term& yes, const Term& no, Span span) {
    if (condition.poisoned() || yes.poisoned() || no.poisoned()) return {};
    if (auto known = condition.as<ConstantNumber>(); known && known->kind == ConstantNumber::Kind::boolean)
        if (constant(yes) && constant(no)) return known->value != 0 ? yes : no;
    auto chooser = meet(elaborator, {{condition, span}}, Wanted::logical, "where", span);
    std::vector<Operand> written{{yes, span}, {no, span}};
    auto met = meet(elaborator, written, Wanted::any, "choose between", span);
    if (!chooser || !met) return {};
    std::vector<NodeTerm> operands{chooser->operands[0], met->operands[0], met->operands[1]};
    written.insert(written.begin(), {condition, span});
    return elementwise(elaborator, Primitive::select, operands, met->weak, written, "choose between", span);
}

Term power(Elaborator& elaborator, const Operand& base, const Operand& exponent, Span span, Span op_span) {
    auto pow = elaborator.definitions.primitives->find("pow");
    auto number = exponent.term.as<ConstantNumber>();
    if (pow)
        if (auto folded = fold(elaborator, *pow, {base.term, exponent.term})) {
            bool stays = base.term.as<ConstantNumber>()->kind != ConstantNumber::Kind::real &&
                         number->kind != ConstantNumber::Kind::real && number->value >= 0;
            double value = folded->as<ConstantNumber>()->value;
            return stays && value < 9e15 && value > -9e15 ? integer_number(int64_t(value)) : *folded;
        }
    // x^2 is x * x: exact for integers, and defined for negative numbers.
    bool small = number && (number->value == 1 || number->value == 2 || number->value == 3 || number->value == 4);
    if (small) {
        auto times = [&](const Term& a, const Term& b) {
            return apply(elaborator, BinaryOperator::multiply, a, b, span, base.span, base.span);
        };
        auto met = meet(elaborator, {base}, Wanted::number, "raise", span);
        if (!met) return {};
        met->operands[0].weak = met->weak;
        Term x{met->operands[0]};
        if (number->value == 1) return x;
        Term square = times(x, x);
        if (number->value == 2) return square;
        return number->value == 3 ? times(square, x) : times(square, square);
    }
    auto met = meet(elaborator, {base, exponent}, Wanted::floating, "raise", span);
    if (!met) return {};
    if (number && number->value == 0.5)
        return elementwise(elaborator, Primitive::sqrt, {met->operands[0]}, met->weak, {base}, "raise", span);
    if (!pow) {
        elaborator.error(Code::unknown_function, span, "the library declares no `pow`");
        return {};
    }
    return elementwise(elaborator, *pow, met->operands, met->weak, {base, exponent}, "raise", span, op_span);
}

Term transpose(Elaborator& elaborator, const Operand& operand, Span span) {
    auto value = to_operand(elaborator, operand.term, span);
    if (!value) return {};
    Graph& graph = elaborator.graph();
    int rank = graph.type(value->node).rank(), labels = int(value->labels.size());
    if (rank - labels < 2) {
        elaborator.error(Code::wrong_operand, span,
                         fmt::format("' swaps the last two axes, but {} has {}", named(elaborator, operand),
                                     rank - labels == 1 ? "one" : "none"));
        return {};
    }
    std::vector<int> axes(size_t(rank), 0);
    std::iota(axes.begin(), axes.end(), 0);
    std::swap(axes[size_t(rank) - 1], axes[size_t(rank) - 2]);
    return elaborator.term(permuted(graph, value->node, axes, span), value->labels, value->weak);
}

} // namespace gradc
