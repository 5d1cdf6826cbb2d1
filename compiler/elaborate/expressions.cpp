// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions of the language, one case each.
#include "compiler/elaborate/library/wrong_names.h"
#include "compiler/elaborate/parts.h"
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
    Term operator()(const ast::Name& name) const { return elaborator.lookup(name.name, expression.span, scope); }
    Term operator()(const ast::Ellipsis&) const { return misplaced("`..`"); }
    Term operator()(const ast::Range&) const { return misplaced("a range"); }
    Term operator()(const ast::Slice&) const { return misplaced("a slice"); }
    Term misplaced(const char* what) const {
        elaborator.error(Code::index_misuse, expression.span, fmt::format("{} has no meaning here", what));
        return {};
    }

    Term operator()(const ast::Unary& unary) const {
        Term operand = elaborator.evaluate(*unary.operand, scope);
        if (unary.op == ast::UnaryOperator::negate) return elaborator.negate(operand, expression.span);
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
        return elaborator.binary(binary.op, left, right, expression.span, binary.left->span, binary.right->span,
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
                         fmt::format("nothing here has a part `{}`", member.name), "",
                         "a train block reaches parameters by path (net.w1), a data set its "
                         "splits (train.raw)");
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
        elaborator.check_entries(entries, expression.span);
        return entries;
    }
    Term operator()(const ast::Call& call) const {
        if (call.indexed) return elaborate_indexed_call(elaborator, expression, call, scope);
        if (scope.frame->extension)
            if (auto term = scope.frame->extension->call(elaborator, call, expression.span, scope)) return *term;
        auto function = elaborator.definitions.find_function(call.callee, scope.frame->module);
        if (!function && !find_builtin(call.callee)) return unknown(call);
        return elaborator.call(call.callee, elaborator.arguments(call, scope), expression.span, scope);
    }
    /// Arguments are not looked at: what stands in them may be as unknown as the callee.
    Term unknown(const ast::Call& call) const {
        if (scope.find(call.callee)) {
            elaborator.error(Code::unknown_function, call.callee_span,
                             fmt::format("`{}` is a value, not a function", call.callee), "",
                             "a lookup is written with [ ]");
            return {};
        }
        return elaborator.call(call.callee, {}, call.callee_span, scope);
    }
};

/// True for a const of the file, evaluated or not.
bool declares(const ast::Module& module, const std::string& name) {
    for (const ast::Item& item : module.items)
        if (auto constants = std::get_if<ast::Constants>(&item.node))
            for (const ast::Constant& each : constants->all)
                if (each.target.name == name) return true;
    return false;
}

std::optional<Term> word(Elaborator& elaborator, const std::string& name, const Scope& scope) {
    if (name == "N") return Term{RowsSize{}};
    if (name == "training") return truth(elaborator.mode.training && !(scope.frame && scope.frame->frozen));
    if (name == "true" || name == "false") return truth(name == "true");
    if (name == "inf") return real(INFINITY);
    if (name == "nan") return real(NAN);
    if (name == "pi") return real(M_PI);
    for (const char* dtype : {"f32", "f64", "bf16", "int", "u8", "bool"})
        if (name == dtype) return Term{ConstantText{name}};
    return {};
}

} // namespace

Term Elaborator::evaluate(const ast::Expr& expression, Scope& scope) {
    if (auto known = evaluated(expression)) return *known;
    Depth depth(*this, expression.span);
    check_limits(expression.span);
    Term result = std::visit(Evaluation{*this, expression, scope}, expression.node);
    count_copy(result);
    return result;
}

Term Elaborator::lookup(const std::string& name, Span span, Scope& scope) {
    if (auto binding = scope.find(name)) {
        if (binding->cell.empty()) return binding->value;
        auto value = cell(binding->cell);
        return value ? *value : Term{};
    }
    if (auto term = word(*this, name, scope)) return *term;
    if (scope.frame->extension)
        if (auto term = scope.frame->extension->name(*this, name, span, scope)) return *term;
    if (auto constant = definitions.find_constant(name, scope.frame->module)) return *constant;
    if (definitions.find_function(name, scope.frame->module) || find_builtin(name)) {
        error(Code::unknown_name, span, fmt::format("`{}` is a function, not a value", name), "",
              fmt::format("call it: `{}(..)`", name));
        return {};
    }
    std::string repair = repair_of_value(name, known_names(scope));
    error(Code::unknown_name, span, fmt::format("unknown name `{}`", name), "",
          declares(definitions.modules[scope.frame->module].tree, name)
              ? "this const stands further down: a const knows those above it"
              : std::move(repair));
    scope.bind(name, {}, span); // once is enough
    return {};
}

std::vector<NamedTerm> Elaborator::arguments(const ast::Call& call, Scope& scope) {
    std::vector<NamedTerm> result;
    for (const ast::Argument& argument : call.arguments)
        result.push_back(
            {argument.name.value_or(""), evaluate(*argument.value, scope), argument.value->span, argument.span});
    return result;
}

} // namespace gradc
