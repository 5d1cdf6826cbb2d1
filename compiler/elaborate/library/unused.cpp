// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks each function of the user's files. One that nothing called is elaborated alone on its written types. Then all
// names are checked, also in branches that no call took.
#include "compiler/elaborate/library/unused.h"
#include "compiler/elaborate/types.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

/// True for a number, N or a const, which are known without a call.
bool known_size(Elaborator& elaborator, const ast::ExprRef& size, uint32_t module) {
    auto name = std::get_if<ast::Name>(&size->node);
    return !std::holds_alternative<ast::Ellipsis>(size->node) &&
           (!name || name->name == "N" || elaborator.definitions.find_constant(name->name, module));
}

/// True if a parameter has no shape: it may need a constant argument (`repeat k`).
bool takes_numbers(const ast::Function& function) {
    return std::any_of(function.parameters.begin(), function.parameters.end(),
                       [](const ast::Parameter& each) { return !each.initial && each.type && !each.type->shape; });
}

/// Elaborates a function on inputs of its parameters' written types.
void elaborate_alone(Definitions& definitions, const FunctionEntry& function) {
    Graph graph(definitions.primitives);
    Elaborator elaborator(definitions, graph, {});
    Frame frame = block_frame(elaborator.definitions, "unused", function.module, nullptr);
    frame.path = fmt::format("file {}", function.module);
    frame.makes_parameters = true;
    Scope scope;
    scope.frame = &frame;
    bool model = function.tree->kind == ast::FunctionKind::model;
    if (!model && takes_numbers(*function.tree)) return;
    if (auto arguments = inputs_for(elaborator, *function.tree, scope))
        elaborator.call(function, std::move(*arguments), function.tree->name_span, scope);
}

} // namespace

std::optional<std::vector<NamedTerm>> inputs_for(Elaborator& elaborator, const ast::Function& function, Scope& scope) {
    std::vector<NamedTerm> arguments;
    for (const ast::Parameter& parameter : function.parameters) {
        if (parameter.initial) continue;
        if (!parameter.type || parameter.type->constant || !parameter.type->dtype) return {};
        auto known = [&](const ast::ExprRef& size) { return known_size(elaborator, size, scope.frame->module); };
        bool open = parameter.type->upper && !known(parameter.type->upper);
        if (parameter.type->shape)
            for (const ast::ExprRef& size : *parameter.type->shape) open = open || !known(size);
        if (open) return {};
        auto full = full_type(elaborator, *parameter.type, scope);
        if (!full) return {};
        Input input{Input::Source::field, parameter.name, 0, full->upper ? *full->upper - 1 : -1};
        NodeId node = elaborator.levels.root().add(Op::input, full->type, {}, input, parameter.span);
        arguments.push_back({parameter.name, elaborator.term(node), parameter.span});
    }
    return arguments;
}

void check_functions(Definitions& definitions) {
    size_t variables = definitions.variables.size();
    for (size_t number = 0; number < definitions.modules.size(); ++number) {
        const Module& module = definitions.modules[number];
        if (module.standard) continue;
        for (const ast::Item& item : module.tree.items) {
            auto function = std::get_if<ast::Function>(&item.node);
            auto found = function ? module.functions.find(function->name) : module.functions.end();
            if (found == module.functions.end() || found->second.tree != function) continue;
            const FunctionEntry& entry = found->second;
            bool optimizer = function->kind == ast::FunctionKind::optimizer;
            if (!optimizer && !definitions.job.count(function)) elaborate_alone(definitions, entry);
            Graph scratch(definitions.primitives);
            Elaborator elaborator(definitions, scratch, {});
            check_names(elaborator, entry);
        }
    }
    definitions.forget_variables(variables);
}

} // namespace gradc
