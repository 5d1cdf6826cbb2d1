// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Both branches of an `if` at run time are elaborated; `select` chooses between values that differ.
#include "compiler/elaborate/indices/definition.h"
#include "compiler/elaborate/operators.h"
#include "compiler/elaborate/variables.h"
#include <fmt/format.h>

namespace gradc {

namespace {

/// An `if` whose condition is known at run time only.
void elaborate_choice(Elaborator& elaborator, const ast::If& line, const NodeTerm& condition, Scope& scope) {
    Cells::Values before = elaborator.cells.values();
    Scope yes = scope, no = scope;
    yes.conditional = no.conditional = true;
    elaborator.run(*line.then, yes);
    Cells::Values cells_yes = elaborator.cells.replace(before);
    if (line.otherwise) elaborator.run(*line.otherwise, no);
    Cells::Values cells_no = elaborator.cells.values();
    auto choose = [&](const Term& a, const Term& b) {
        if (a.poisoned() || b.poisoned()) return Term{};
        return same(a, b) ? a : selected(elaborator, {condition}, a, b, line.condition->span);
    };
    for (auto& [name, binding] : yes.names) {
        auto other = no.names.find(name);
        if (other == no.names.end() || !binding.cell.empty()) continue;
        auto a = type_of(elaborator, binding.value), b = type_of(elaborator, other->second.value);
        if (a && b && a->shape != b->shape && !a->shape.empty() && !b->shape.empty()) {
            elaborator.error(Code::branch_mismatch, binding.span,
                             fmt::format("`{}` is {} in one branch and {} in the other", name,
                                         describe(elaborator, binding.value),
                                         describe(elaborator, other->second.value)));
            scope.bind(name, {}, binding.span);
            continue;
        }
        scope.names[name] = binding;
        scope.names[name].value = choose(binding.value, other->second.value);
    }
    for (auto& [cell, value] : cells_yes) {
        auto other = cells_no.find(cell);
        elaborator.cells.set(cell, other == cells_no.end() ? value : choose(value, other->second));
    }
}

std::optional<Term> elaborate_repeat(Elaborator& elaborator, const ast::Repeat& line, Scope& scope) {
    auto count = constant_integer(elaborator, elaborator.evaluate(*line.count, scope), line.count->span,
                                  "the number of iterations of a `repeat`");
    if (!count) return {};
    if (*count > elaborator.definitions.options.node_limit) {
        elaborator.error(
            Code::node_limit, line.count->span,
            fmt::format("{} iterations pass the limit of {} nodes", *count, elaborator.definitions.options.node_limit),
            "", "a `repeat` unrolls: use `scan`, or raise --max-nodes");
        return {};
    }
    if (line.index && scope.find(line.index->name)) {
        elaborator.error(Code::hidden_name, line.index->span,
                         fmt::format("`{}` already has a value here", line.index->name), "", "choose another name");
        return {};
    }
    ++scope.frame->repeats;
    std::optional<Term> result;
    size_t errors = elaborator.definitions.diagnostics->count();
    for (int64_t iteration = 0; iteration < *count && !result; ++iteration) {
        check_limits(elaborator, line.count->span);
        Scope inner = scope;
        if (line.index) inner.names[line.index->name] = {integer_number(iteration), line.index->span, "", true};
        result = elaborator.run(*line.body, inner);
        scope.adopt(inner);
        if (elaborator.definitions.diagnostics->count() > errors) break; // report the errors of one iteration only
    }
    --scope.frame->repeats;
    return result;
}

class Execution {
public:
    Execution(Elaborator& elaborator, Span span, Scope& scope) : elaborator_(elaborator), span_(span), scope_(scope) {}

    std::optional<Term> operator()(const ast::Assign& assign) {
        Term value = several(assign.values, assign.saved_as); // all values before any name is bound
        if (assign.targets.size() == 1) {
            bind(assign.targets[0], value);
            return {};
        }
        size_t wanted = assign.targets.size();
        const std::vector<Term>* items = parts(value);
        if (!value.poisoned() && (!items || items->size() != wanted))
            elaborator_.error(
                Code::result_count, assign.values[0]->span,
                fmt::format("{} names, but {} on the right", wanted,
                            !items || items->size() == 1 ? "one value" : fmt::format("{} values", items->size())));
        bool fits = items && items->size() == wanted;
        for (size_t i = 0; i < wanted; ++i) bind(assign.targets[i], fits ? (*items)[i] : Term{});
        return {};
    }
    std::optional<Term> operator()(const ast::IndexDefinition& definition) {
        bind(definition.target, elaborate_definition(elaborator_, definition, span_, scope_));
        return {};
    }
    std::optional<Term> operator()(const ast::Update& update);
    std::optional<Term> operator()(const ast::Declaration& declaration) {
        bool taken =
            scope_.frame->extension && scope_.frame->extension->declare(elaborator_, declaration, span_, scope_);
        if (!taken) elaborate_declaration(elaborator_, declaration, span_, scope_);
        return {};
    }
    std::optional<Term> operator()(const ast::Return& line) {
        Term result = several(line.values, line.saved_as);
        if (!scope_.conditional) return result;
        elaborator_.error(Code::run_time_condition, span_, "a `return` cannot depend on a value of the run", "",
                          "assign a name in each branch and return it after the `if`, or use `where`");
        return Term{};
    }
    std::optional<Term> operator()(const ast::Yield& line) {
        Term result = several(line.values);
        if (!scope_.yields) {
            elaborator_.error(Code::yield_misuse, span_, "`yield` is allowed only in the block of a `scan`");
        } else if (scope_.conditional) {
            elaborator_.error(Code::yield_misuse, span_,
                              "every iteration must yield: `yield` cannot depend on a value of the run", "",
                              "yield `where(condition, a, b)`");
        } else if (!scope_.yields->empty()) {
            elaborator_.error(Code::yield_misuse, span_, "an iteration can yield once", "",
                              "`yield a, b` gives two values");
        } else if (auto tuple = result.as<TupleTerm>()) *scope_.yields = tuple->items;
        else scope_.yields->push_back(result);
        return {};
    }
    std::optional<Term> operator()(const ast::If& line);
    std::optional<Term> operator()(const ast::Repeat& line) { return elaborate_repeat(elaborator_, line, scope_); }
    std::optional<Term> operator()(const ast::Evaluate& line) {
        if (scope_.frame->extension && scope_.frame->extension->effect(elaborator_, *line.value, scope_)) return {};
        Term value = elaborator_.evaluate(*line.value, scope_);
        if (!value.poisoned())
            elaborator_.error(Code::unknown_effect, span_, "this line has no effect", "",
                              "assign the value to a name, or return it");
        return {};
    }

private:
    /// The functions that `values` call are named `saved_as` in files.
    Term several(const std::vector<ast::ExprRef>& values, const std::optional<std::string>& saved_as) {
        if (!saved_as) return several(values);
        scope_.frame->called_as = saved_as_text(elaborator_, *saved_as, span_, scope_);
        Term result = several(values);
        scope_.frame->called_as.clear();
        return result;
    }
    Term several(const std::vector<ast::ExprRef>& values) {
        if (values.size() == 1) return elaborator_.evaluate(*values[0], scope_);
        TupleTerm tuple;
        for (const ast::ExprRef& value : values) tuple.items.push_back(elaborator_.evaluate(*value, scope_));
        Term result{std::move(tuple)};
        check_entries(elaborator_, result, span_);
        return result;
    }
    /// Several results of a call, or the entries of a list such as `shape(x)`.
    static const std::vector<Term>* parts(const Term& value) {
        if (auto tuple = value.as<TupleTerm>()) return &tuple->items;
        auto list = value.as<ListTerm>();
        return list ? &list->items : nullptr;
    }
    void bind(const ast::Target& target, Term value);

    Elaborator& elaborator_;
    Span span_;
    Scope& scope_;
};

void Execution::bind(const ast::Target& target, Term value) {
    if (scope_.frame->extension) scope_.frame->extension->assigning(elaborator_, target, scope_);
    auto known = scope_.find(target.name);
    if (known && !known->cell.empty()) {
        elaborator_.error(Code::update_misuse, target.span,
                          fmt::format("`{}` keeps its value after the step", target.name), "",
                          fmt::format("write `{} <- ..`", target.name));
        return;
    }
    if ((known && known->fixed) || target.name == "N" || target.name == "training") {
        elaborator_.error(Code::fixed_name, target.span, fmt::format("`{}` cannot be assigned", target.name));
        return;
    }
    if (!known && elaborator_.definitions.find_constant(target.name, scope_.frame->module)) {
        elaborator_.error(Code::hidden_name, target.span, fmt::format("`{}` is a const of this file", target.name), "",
                          "choose another name");
        return;
    }
    bool of_library =
        elaborator_.definitions.modules[scope_.frame->module].standard; // names of library values are less informative
    if (auto node = value.as<NodeTerm>(); node && node->level == elaborator_.level() && !of_library)
        elaborator_.graph().name_node(node->node, target.name);
    scope_.bind(target.name, std::move(value), target.span);
}

std::optional<Term> Execution::operator()(const ast::Update& update) {
    auto binding = scope_.find(update.target.name);
    if (!binding || binding->cell.empty()) {
        bool known = binding != nullptr;
        if (known && binding->value.poisoned()) return {};
        elaborator_.error(known ? Code::update_misuse : Code::unknown_name, update.target.span,
                          known ? fmt::format("`{}` is not a state", update.target.name)
                                : fmt::format("unknown name `{}`", update.target.name),
                          "", known ? "`<-` updates states and parameters; write `=`" : "declare it: `state .. = 0`");
        return {};
    }
    if (!elaborator_.mode.training || scope_.frame->frozen) return {};
    std::string cell = binding->cell;
    elaborator_.levels.note_update(cell);
    Term value = elaborator_.evaluate(*update.value, scope_);
    auto before = elaborator_.cells.find(cell);
    if (!before || before->poisoned() || value.poisoned()) return {};
    Type type = *type_of(elaborator_, *before);
    NodeId node = floating(type.dtype) ? to_floating_node(elaborator_, value, type.dtype, update.value->span)
                                       : to_node(elaborator_, value, update.value->span, type.dtype);
    if (node == NodeId::none) return {};
    Shape joined;
    const Shape& shape = elaborator_.graph().type(node).shape;
    if (!broadcast_shapes(shape, type.shape, joined) || joined != type.shape) {
        elaborator_.error(Code::shape_mismatch, update.value->span,
                          fmt::format("`{}` is {}, but its new value is {}", update.target.name, print(type.shape),
                                      describe(elaborator_, value)));
        return {};
    }
    node = build::broadcast_to(elaborator_.graph(), node, type.shape, span_);
    elaborator_.cells.set(cell, elaborator_.term(node));
    return {};
}

std::optional<Term> Execution::operator()(const ast::If& line) {
    Term condition = elaborator_.evaluate(*line.condition, scope_);
    if (condition.poisoned()) return {};
    if (auto known = condition.as<ConstantNumber>(); known && known->kind == ConstantNumber::Kind::boolean) {
        if (known->value != 0) return elaborator_.run(*line.then, scope_);
        return line.otherwise ? elaborator_.run(*line.otherwise, scope_) : std::nullopt;
    }
    auto node = to_operand(elaborator_, condition, line.condition->span);
    if (!node) return {};
    Type type = *type_of(elaborator_, {*node});
    if (type != Type{Dtype::boolean, {}}) {
        elaborator_.error(
            Code::run_time_condition, line.condition->span,
            fmt::format("the condition of an `if` must be one bool, not {}", describe(elaborator_, condition)), "",
            type.shape.empty() ? "compare it: `x > 0`" : "choose elementwise with `where(c, a, b)`");
        return {};
    }
    elaborate_choice(elaborator_, line, *node, scope_);
    return {};
}

} // namespace

std::optional<Term> Elaborator::run(const ast::Block& block, Scope& scope) {
    for (const ast::Statement& statement : block.statements)
        if (auto result = run(statement, scope)) return result;
    return {};
}

std::optional<Term> Elaborator::run(const ast::Statement& statement, Scope& scope) {
    bool of_library = definitions.modules[scope.frame->module].standard;
    OriginScope origin(graph(), of_library ? graph().origin : statement.span);
    return std::visit(Execution{*this, statement.span, scope}, statement.node);
}

} // namespace gradc
