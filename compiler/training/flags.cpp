// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names of flags are unique in a trainer: `block.name`, then `block.owner.name`, then numbered.
#include "compiler/training/flags.h"
#include "compiler/elaborate/values.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

const double* literal_value(const Term& term) {
    auto number = term.as<ConstantNumber>();
    return number && number->kind != ConstantNumber::Kind::boolean ? &number->value : nullptr;
}

/// The form of the command line: learning-rate.
std::string hyphened(std::string name) {
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

} // namespace

bool Flags::may_be_flag(const ast::Parameter& parameter) {
    if (!parameter.type) return true;
    bool scalar = !parameter.type->shape || parameter.type->shape->empty();
    bool number = !parameter.type->dtype || *parameter.type->dtype != "bool";
    return !parameter.type->constant && scalar && number;
}

/// `block.name`, or with the owner and a count in between if that is taken.
std::string Flags::unused(const std::string& owner, const std::string& name) const {
    auto taken = [&](const std::string& full) {
        return std::any_of(flags_.begin(), flags_.end(),
                           [&](const Flag& each) { return each.full == hyphened(full) || each.input == full; });
    };
    std::string full = fmt::format("{}.{}", block_, name);
    if (taken(full)) full = fmt::format("{}.{}.{}", block_, owner, name);
    std::string numbered = full;
    for (int i = 2; taken(numbered); ++i) numbered = fmt::format("{}.{}_{}.{}", block_, owner, i, name);
    return numbered;
}

Term Flags::flag(Elaborator& elaborator, const ast::Parameter& setting, const std::string& owner, double value) {
    const std::string& name = setting.name;
    std::string input = unused(owner, name);
    bool integer = setting.type && setting.type->dtype && *setting.type->dtype == "int";
    if (!setting.initial) asked_for_.insert(flags_.size());
    flags_.push_back({hyphened(name), hyphened(input), input, value, integer,
                      fmt::format("{} of {} (default {})", name, owner, value)});
    return run_scalar(elaborator, input);
}

void Flags::name_rate(size_t first) {
    const std::string rate = "learning_rate";
    size_t chosen = first;
    for (size_t i = flags_.size(); i-- > first;) {
        if (flags_[i].name == hyphened(rate)) return;
        if (asked_for_.count(i)) chosen = i;
    }
    if (chosen < flags_.size()) flags_[chosen].full = hyphened(unused(flags_[chosen].name, rate));
}

std::optional<Term> Flags::call(Elaborator& elaborator, const ast::Call& call, Span span, Scope& scope) {
    auto function = elaborator.definitions.find_function(call.callee, scope.frame->module);
    if (!function || function->primitive || call.indexed) return {};
    const auto& parameters = function->tree->parameters;
    auto arguments = evaluate_arguments(elaborator, call, scope);
    size_t places = 0;
    for (NamedTerm& argument : arguments) {
        auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const ast::Parameter& each) { return each.name == argument.name; });
        if (argument.name.empty()) found = parameters.begin() + long(std::min(places++, parameters.size()));
        auto value = literal_value(argument.value);
        if (found == parameters.end() || !value || !may_be_flag(*found)) continue;
        argument.value = flag(elaborator, *found, call.callee, *value);
    }
    for (size_t i = places; i < parameters.size(); ++i) {
        bool given = std::any_of(arguments.begin(), arguments.end(),
                                 [&](const NamedTerm& each) { return each.name == parameters[i].name; });
        if (given || !parameters[i].initial || !may_be_flag(parameters[i])) continue;
        Term value = elaborator.evaluate(*parameters[i].initial, scope);
        if (auto number = literal_value(value))
            arguments.push_back({parameters[i].name, flag(elaborator, parameters[i], call.callee, *number), span});
    }
    return elaborator.call(*function, std::move(arguments), span, scope);
}

} // namespace gradc
