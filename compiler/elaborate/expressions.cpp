// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One case for each kind of expression.
#include "compiler/elaborate/expressions.h"
#include "compiler/elaborate/builtins.h"
#include "compiler/elaborate/indices/definition.h"
#include "compiler/elaborate/operators.h"
#include "compiler/elaborate/scan.h"
#include "dsl/other_names.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {

namespace {

struct Evaluation {
    Elaborator& elaborator;
    const ast::Expr& expression;
    Scope& scope;

    Term operator()(const ast::Number& number) const {
        bool exact = number.integer && std::abs(number.value) < 9e15;
        return exact ? integer_number(int64_t(number.value)) : real(number.value);
    }
    Term operator()(const ast::Text& text) const { return {ConstantText{text.value}}; }
    Term operator()(const ast::Name& name) const { return lookup(elaborator, name.name, expression.span, scope); }
    Term operator()(const ast::Ellipsis&) const { return misplaced("`..`"); }
    Term operator()(const ast::Range&) const { return misplaced("a range"); }
    Term operator()(const ast::Slice&) const { return misplaced("a slice"); }
    Term misplaced(const char* what) const {
        elaborator.error(Code::index_misuse, expression.span, fmt::format("{} has no meaning here", what));
        return {};
    }

    Term operator()(const ast::Unary& unary) const {
        Term operand = elaborator.evaluate(*unary.operand, scope);
        if (unary.op == ast::UnaryOperator::negate) return negated(elaborator, operand, expression.span);
        if (operand.poisoned()) return {};
        if (auto folded = fold(elaborator, Primitive::logical_not, {operand})) return *folded;
        std::vector<Operand> written{{operand, unary.operand->span}};
        auto met = meet(elaborator, written, Wanted::logical, "not", expression.span);
        if (!met) return {};
        return elementwise(elaborator, Primitive::logical_not, met->operands, false, written, "not", expression.span);
    }
    Term operator()(const ast::Transpose& tick) const {
        return transpose(elaborator, {elaborator.evaluate(*tick.operand, scope), tick.operand->span}, expression.span);
    }
    Term operator()(const ast::Binary& binary) const {
        Term left = elaborator.evaluate(*binary.left, scope), right = elaborator.evaluate(*binary.right, scope);
        return apply(elaborator, binary.op, left, right, expression.span, binary.left->span, binary.right->span,
                     binary.op_span);
    }
    Term operator()(const ast::Member& member) const {
        if (scope.frame->extension)
            if (auto term = scope.frame->extension->member(elaborator, member, expression.span, scope)) return *term;
        if (auto known = foreign_member(expression, *elaborator.definitions.sources)) {
            elaborator.error(Code::unknown_member, known->span, known->message, "", known->repair);
            return {};
        }
        elaborator.error(Code::unknown_member, expression.span,
                         fmt::format("there is no member `{}` here", member.name), "",
                         "a train block names parameters by path (net.w1), a data set its splits (train.raw)");
        return {};
    }
    Term operator()(const ast::Index& index) const { return elaborate_access(elaborator, expression, index, scope); }
    Term operator()(const ast::Scan& scan) const { return elaborate_scan(elaborator, expression, scan, scope); }
    Term operator()(const ast::List& list) const {
        ListTerm result;
        for (const ast::ExprRef& item : list.items) {
            if (std::holds_alternative<ast::Ellipsis>(item->node)) {
                auto group = scope.find(group_name);
                auto axes = group ? group->value.as<ListTerm>() : nullptr;
                if (!axes) return misplaced("`..`");
                result.items.insert(result.items.end(), axes->items.begin(), axes->items.end());
                continue;
            }
            result.items.push_back(elaborator.evaluate(*item, scope));
            if (result.items.back().poisoned()) return {};
        }
        bool values =
            std::any_of(result.items.begin(), result.items.end(), [](const Term& item) { return item.as<NodeTerm>(); });
        if (values) { // values known only at run time are stacked
            auto stack = stacked(elaborator, result, expression.span);
            return stack ? Term{*stack} : Term{};
        }
        Term entries{std::move(result)};
        check_entries(elaborator, entries, expression.span);
        return entries;
    }
    Term operator()(const ast::Call& call) const {
        if (call.indexed) return elaborate_indexed_call(elaborator, expression, call, scope);
        if (scope.frame->extension)
            if (auto term = scope.frame->extension->call(elaborator, call, expression.span, scope)) return *term;
        auto function = elaborator.definitions.find_function(call.callee, scope.frame->module);
        if (!function && !find_builtin(call.callee)) return unknown(call);
        return elaborator.call(call.callee, evaluate_arguments(elaborator, call, scope), expression.span, scope);
    }
    /// Arguments are not evaluated: their names may be as unknown as the callee.
    Term unknown(const ast::Call& call) const {
        if (scope.find(call.callee)) {
            elaborator.error(Code::unknown_function, call.callee_span,
                             fmt::format("`{}` is a value, not a function", call.callee), "",
                             "write a lookup with [ ]");
            return {};
        }
        return elaborator.call(call.callee, {}, call.callee_span, scope);
    }
};

} // namespace

Term elaborate_expression(Elaborator& elaborator, const ast::Expr& expression, Scope& scope) {
    return std::visit(Evaluation{elaborator, expression, scope}, expression.node);
}

} // namespace gradc
