// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A call runs in this order: place the arguments, match their types, open a frame, elaborate the body, match the
// results, keep the derivative clauses.
#include "compiler/elaborate/builtins.h"
#include "compiler/elaborate/expressions.h"
#include "compiler/elaborate/library/misuse.h"
#include "compiler/elaborate/library/wrong_names.h"
#include "compiler/elaborate/operators.h"
#include "compiler/elaborate/types.h"
#include "compiler/elaborate/variables.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

/// Places arguments by parameter. Reports arguments that are too many, unknown or given twice.
template <class Names>
std::optional<std::vector<std::optional<Operand>>> by_parameter(Elaborator& elaborator, const std::string& callee,
                                                                const Names& names, std::vector<NamedTerm>& given,
                                                                Span span) {
    std::vector<std::optional<Operand>> result(names.size());
    bool good = true;
    size_t place = 0;
    for (NamedTerm& each : given) {
        size_t number = place;
        if (each.name.empty()) {
            if (place++ >= names.size()) {
                elaborator.error(Code::too_many_arguments, each.span.known() ? each.span : span,
                                 fmt::format("`{}` takes {} argument{}, not more", callee, names.size(),
                                             names.size() == 1 ? "" : "s"));
                return {};
            }
        } else {
            number = size_t(std::find(names.begin(), names.end(), each.name) - names.begin());
            if (number == names.size()) {
                Span place = each.argument.known() ? each.argument : each.span;
                report_unknown_argument(elaborator, callee, each.name, place.known() ? place : span,
                                        {names.begin(), names.end()});
                good = false;
                continue;
            }
        }
        if (result[number]) {
            elaborator.error(Code::too_many_arguments, each.span.known() ? each.span : span,
                             fmt::format("`{}` of `{}` is given twice", names[number], callee));
            good = false;
        }
        result[number] = Operand{std::move(each.value), each.span};
    }
    if (!good) return {};
    return result;
}

} // namespace

class CallElaboration {
public:
    CallElaboration(Elaborator& elaborator, const FunctionEntry& function, Span span, Scope& caller)
        : elaborator_(elaborator), function_(function), tree_(*function.tree), span_(span), caller_(caller) {}

    Term run(std::vector<NamedTerm> given);

private:
    bool may_run();
    bool bind(std::vector<NamedTerm>& given);
    Term default_of(const ast::Parameter& parameter);
    void open_frame();
    void match();
    Term body();
    Term primitive();
    Term results(Term value);
    NodeTerm made_floating(const NodeTerm& value);
    Term with_custom_gradient(const Term& result);
    std::vector<Term> values() const;
    std::string of(const std::string& parameter) const { return fmt::format("`{}` of `{}`", parameter, tree_.name); }

    Elaborator& elaborator_;
    const FunctionEntry& function_;
    const ast::Function& tree_;
    Span span_;
    Scope& caller_;
    Frame frame_;
    Scope scope_;
    std::vector<Span> spans_;
    bool poisoned_ = false;
};

bool CallElaboration::may_run() {
    const auto& running = elaborator_.calls.all();
    if (tree_.kind == ast::FunctionKind::optimizer) {
        elaborator_.error(Code::argument_type, span_, fmt::format("`{}` is an optimizer, not a function", tree_.name),
                          "", "use it in an `optimizer` line of a train block");
        return false;
    }
    if (!elaborator_.calls.holds(function_)) return true;
    std::string path;
    for (const CallStack::Call& each : running) path += each.function->tree->name + " -> ";
    elaborator_.error(Code::recursion, span_, fmt::format("`{}` calls itself ({}{})", tree_.name, path, tree_.name), "",
                      "write a loop with `repeat` or `scan`");
    return false;
}

bool CallElaboration::bind(std::vector<NamedTerm>& given) {
    std::vector<std::string> names;
    for (const ast::Parameter& parameter : tree_.parameters) names.push_back(parameter.name);
    auto arguments = by_parameter(elaborator_, tree_.name, names, given, span_);
    if (!arguments) return false;
    scope_.frame = &frame_;
    frame_.module = function_.module;
    frame_.function = &function_;
    frame_.caller = caller_.frame;
    bool good = true;
    for (size_t i = 0; i < names.size(); ++i) {
        auto& argument = (*arguments)[i];
        const ast::Parameter& parameter = tree_.parameters[i];
        if (!argument && names[i] == "shape" && caller_.frame->initial_shape)
            argument = Operand{*caller_.frame->initial_shape, span_};
        if (!argument && parameter.initial) argument = Operand{default_of(parameter), span_};
        if (!argument) {
            elaborator_
                .error(Code::missing_argument, span_, fmt::format("`{}` needs an argument `{}`", tree_.name, names[i]))
                .remarks.push_back({parameter.span, "declared here, without a default"});
            good = false;
            continue;
        }
        poisoned_ = poisoned_ || argument->term.poisoned();
        spans_.push_back(argument->span.known() ? argument->span : span_);
        scope_.bind(names[i], argument->term, spans_.back());
    }
    return good;
}

/// A default can use the parameters before it and, in a train block, the scalars of the run.
Term CallElaboration::default_of(const ast::Parameter& parameter) {
    std::vector<std::string> names;
    collect_names(*parameter.initial, names);
    Scope known = scope_;
    for (const char* scalar : run_scalars)
        if (elaborator_.mode.in_run && !known.find(scalar) &&
            std::find(names.begin(), names.end(), scalar) != names.end())
            known.bind(scalar, run_scalar(elaborator_, scalar));
    return elaborator_.evaluate(*parameter.initial, known);
}

void CallElaboration::open_frame() {
    bool model = tree_.kind == ast::FunctionKind::model;
    Frame& caller = *caller_.frame;
    int number = ++caller.counts[tree_.name];
    if (model) number = elaborator_.model_calls.next_number(tree_.name);
    frame_.stream = fmt::format("{}.{}_{}", caller.stream, tree_.name, number);
    if (model) frame_.path = tree_.name;
    else if (!caller.path.empty()) frame_.path = fmt::format("{}.{}_{}", caller.path, tree_.name, number);
    if (!model && !caller.called_as.empty()) frame_.saved_as = name_in_files(caller, caller.called_as);
    else if (!model && !caller.saved_as.empty())
        frame_.saved_as = name_in_files(caller, fmt::format("{}_{}", tree_.name, number));
    frame_.makes_parameters = model || caller.makes_parameters;
    frame_.call_span = span_;
    frame_.floating_default = elaborator_.floating_default;
    for (const ast::Parameter& parameter : tree_.parameters) {
        auto node = scope_.find(parameter.name)->value.as<NodeTerm>();
        if (!node || node->weak) continue;
        Dtype dtype = type_of(elaborator_, {*node})->dtype;
        if (!floating(dtype)) continue;
        frame_.floating_default = dtype;
        break;
    }
}

void CallElaboration::match() {
    size_t errors = elaborator_.definitions.diagnostics->count();
    Matching matching(elaborator_, scope_);
    for (size_t i = 0; i < tree_.parameters.size(); ++i) {
        const ast::Parameter& parameter = tree_.parameters[i];
        if (!parameter.type) continue;
        Term& value = scope_.names[parameter.name].value;
        value = matching.match(value, *parameter.type, of(parameter.name), spans_[i], Code::argument_type);
        poisoned_ = poisoned_ || value.poisoned();
    }
    if (!poisoned_) matching.finish();
    poisoned_ = poisoned_ || elaborator_.definitions.diagnostics->count() > errors;
}

std::vector<Term> CallElaboration::values() const {
    std::vector<Term> result;
    for (const ast::Parameter& parameter : tree_.parameters) result.push_back(scope_.find(parameter.name)->value);
    return result;
}

Term CallElaboration::primitive() {
    auto arguments = values();
    Primitive primitive = *function_.primitive;
    std::vector<Operand> written;
    for (size_t i = 0; i < arguments.size(); ++i) written.push_back({arguments[i], spans_[i]});
    if (primitive == Primitive::select) return selected(elaborator_, arguments[0], arguments[1], arguments[2], span_);
    if (auto folded = fold(elaborator_, primitive, arguments)) return *folded;
    bool logical = primitive == Primitive::logical_and || primitive == Primitive::logical_or ||
                   primitive == Primitive::logical_not;
    bool real = primitive >= Primitive::first_declared || primitive == Primitive::divide ||
                primitive == Primitive::sqrt || primitive == Primitive::floor ||
                primitive == Primitive::fused_multiply_add;
    Wanted wanted = logical ? Wanted::logical : real ? Wanted::floating : Wanted::number;
    auto met = meet(elaborator_, written, wanted, tree_.name.c_str(), span_);
    if (!met) return {};
    bool compares = primitive == Primitive::less || primitive == Primitive::less_equal || primitive == Primitive::equal;
    return elementwise(elaborator_, primitive, met->operands, met->weak && !compares, written, tree_.name.c_str(),
                       span_);
}

Term CallElaboration::body() {
    FloatingDefault floating(elaborator_, frame_.floating_default);
    elaborator_.definitions.job.insert(&tree_);
    elaborator_.calls.push(function_, span_);
    Term result;
    if (tree_.value) result = elaborator_.evaluate(*tree_.value, scope_);
    else if (auto returned = elaborator_.run(*tree_.body, scope_)) result = std::move(*returned);
    else
        elaborator_.error(Code::missing_return, tree_.name_span, fmt::format("`{}` returns nothing", tree_.name), "",
                          "end it with `return ..`");
    elaborator_.calls.pop();
    return results(std::move(result));
}

/// Matches the returned values against the types after `->`.
Term CallElaboration::results(Term value) {
    if (tree_.results.empty() || value.poisoned()) return value;
    auto tuple = value.as<TupleTerm>();
    size_t found = tuple ? tuple->items.size() : 1;
    if (found != tree_.results.size()) {
        elaborator_.error(Code::result_type, tree_.name_span,
                          fmt::format("`{}` returns {} value{}, but {} type{} after `->`", tree_.name, found,
                                      found == 1 ? "" : "s", tree_.results.size(),
                                      tree_.results.size() == 1 ? " stands" : "s stand"));
        return {};
    }
    Matching matching(elaborator_, scope_);
    TupleTerm converted;
    for (size_t i = 0; i < found; ++i) {
        std::string what = found == 1 ? fmt::format("the result of `{}`", tree_.name)
                                      : fmt::format("result {} of `{}`", i + 1, tree_.name);
        const Term& item = tuple ? tuple->items[i] : value;
        converted.items.push_back(
            matching.match(item, tree_.results[i], what, tree_.results[i].span, Code::result_type));
        if (converted.items.back().poisoned()) return {};
    }
    matching.finish();
    return tuple ? Term{converted} : converted.items[0];
}

/// Integers have no derivative. So an integer result without a declared type, such as `where(x > 0, 1, -1)`, takes the
/// dtype of the first floating argument that has a clause.
NodeTerm CallElaboration::made_floating(const NodeTerm& value) {
    if (!integer(elaborator_.graph().type(value.node).dtype) || !tree_.results.empty()) return value;
    for (const ast::Derivative& clause : tree_.derivatives) {
        const Binding* argument = scope_.find(clause.parameter);
        auto given = argument ? argument->value.as<NodeTerm>() : nullptr;
        if (!given) continue;
        Dtype dtype = elaborator_.graph().type(elaborator_.levels.imported(*given).node).dtype;
        if (floating(dtype)) return in_dtype(elaborator_, value, dtype, span_);
    }
    return value;
}

/// Wraps the result of a function with derivative clauses in a custom gradient, so that differentiation uses the
/// clauses.
Term CallElaboration::with_custom_gradient(const Term& result) {
    auto node = result.as<NodeTerm>();
    if (tree_.derivatives.empty() || !elaborator_.mode.custom_gradients) return result;
    if (!node) {
        if (result.as<TupleTerm>())
            elaborator_.error(
                Code::bad_derivative, tree_.name_span,
                fmt::format("`{}` has several results, so it cannot have derivative clauses", tree_.name));
        return result;
    }
    NodeTerm value = made_floating(elaborator_.levels.imported(*node));
    CustomGradientCall call{&function_, {}, {}, value.labels};
    std::vector<NodeId> inputs{value.node};
    for (const auto& [name, binding] : scope_.names) {
        bool parameter = std::any_of(tree_.parameters.begin(), tree_.parameters.end(),
                                     [&, &key = name](const ast::Parameter& each) { return each.name == key; });
        if (!parameter && binding.fixed) call.sizes.push_back({name, binding.value});
    }
    if (auto group = scope_.find(group_name)) call.sizes.push_back({group_name, group->value});
    for (const ast::Parameter& parameter : tree_.parameters) {
        Term argument = scope_.find(parameter.name)->value;
        if (auto given = argument.as<NodeTerm>()) {
            NodeTerm own = elaborator_.levels.imported(*given);
            inputs.push_back(own.node);
            argument = {NodeTerm{NodeId(inputs.size() - 1), own.weak, 0, own.labels}};
        }
        call.arguments.push_back({parameter.name, argument});
    }
    if (inputs.size() == 1) return result;
    size_t known = elaborator_.definitions.custom_gradient_calls.size();
    uint64_t clause = elaborator_.definitions.clause_of(std::move(call));
    if (clause == known && !elaborator_.definitions.modules[function_.module].standard)
        check_clauses(elaborator_, inputs, clause);
    Type type = elaborator_.graph().type(value.node);
    NodeId custom_gradient = elaborator_.graph().add(Op::custom_gradient, type, inputs, CustomGradient{clause}, span_);
    return elaborator_.term(custom_gradient, value.labels, value.weak);
}

Term CallElaboration::run(std::vector<NamedTerm> given) {
    if (!may_run() || !bind(given)) return {};
    if (poisoned_) return {};
    match();
    if (poisoned_) return {};
    check_misuse(elaborator_, function_, scope_, spans_, caller_);
    if (function_.primitive) return primitive();
    bool model = tree_.kind == ast::FunctionKind::model;
    if (model)
        if (auto known = elaborator_.model_calls.find(function_, values())) return *known;
    open_frame();
    auto before = scope_.names; // the body may assign to parameters; the custom gradient needs their values at the call
    Term result = body();
    scope_.names = std::move(before);
    result = with_custom_gradient(result);
    note_maker(elaborator_, function_, result);
    if (model) elaborator_.model_calls.add(function_, values(), result, elaborator_.level());
    const std::string& called_as = caller_.frame->called_as;
    if (model && !called_as.empty())
        name_model_in_files(elaborator_, tree_.name, name_in_files(*caller_.frame, called_as), span_);
    return result;
}

Term elaborate_call(Elaborator& elaborator, const FunctionEntry& function, std::vector<NamedTerm> arguments, Span span,
                    Scope& caller) {
    return CallElaboration(elaborator, function, span, caller).run(std::move(arguments));
}

bool CallStack::holds(const FunctionEntry& function) const {
    return std::any_of(calls_.begin(), calls_.end(), [&](const Call& each) { return each.function == &function; });
}

std::vector<NamedTerm> evaluate_arguments(Elaborator& elaborator, const ast::Call& call, Scope& scope) {
    std::vector<NamedTerm> result;
    for (const ast::Argument& argument : call.arguments)
        result.push_back({argument.name.value_or(""), elaborator.evaluate(*argument.value, scope), argument.value->span,
                          argument.span});
    return result;
}

Term Elaborator::call(const std::string& name, std::vector<NamedTerm> arguments, Span span, Scope& caller) {
    if (auto function = definitions.find_function(name, caller.frame->module))
        return call(*function, std::move(arguments), span, caller);
    if (auto builtin = find_builtin(name)) return call_builtin(*this, *builtin, std::move(arguments), span, caller);
    report_unknown_function(*this, name, span, caller.frame->module);
    return {};
}

Term call_builtin(Elaborator& elaborator, const Builtin& builtin, std::vector<NamedTerm> given, Span span,
                  Scope& scope) {
    BuiltinCall call{elaborator, scope, span, {}, {}};
    std::vector<std::string> names(builtin.parameters.begin(), builtin.parameters.end());
    if (builtin.many) {
        std::vector<NamedTerm> rest;
        for (NamedTerm& each : given) {
            if (each.name.empty()) call.many.push_back({std::move(each.value), each.span});
            else rest.push_back(std::move(each));
        }
        given = std::move(rest);
    }
    auto arguments = by_parameter(elaborator, builtin.name, names, given, span);
    if (!arguments) return {};
    for (size_t i = 0; i < builtin.required; ++i)
        if (!(*arguments)[i]) {
            elaborator.error(Code::missing_argument, span,
                             fmt::format("`{}` needs an argument `{}`", builtin.name, names[i]));
            return {};
        }
    for (auto* list : {&call.many})
        for (const Operand& each : *list)
            if (each.term.poisoned()) return {};
    for (auto& each : *arguments)
        if (each && each->term.poisoned()) return {};
    call.arguments = std::move(*arguments);
    return builtin.run(call);
}

} // namespace gradc
