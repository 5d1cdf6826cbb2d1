// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters and states. A variable is made when its declaration is first reached, by path; its
// start is elaborated into Definitions::initial, where random numbers go by seed and path alone.
#include "compiler/elaborate/parts.h"
#include "compiler/elaborate/types.h"
#include "compiler/graph/rewrite.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

const Frame* model_frame(const Frame* frame) {
    while (frame && !(frame->function && frame->function->tree->kind == ast::FunctionKind::model))
        frame = frame->caller;
    return frame;
}

Term shape_term(const Shape& shape) {
    ListTerm list;
    for (int64_t size : shape) list.items.push_back(size == rows ? Term{RowsSize{}} : integer_number(size));
    return {list};
}

/// Names the run-time input that a value depends on and that is not known before the first step; "" if there is none.
/// Flags are known: they are set once.
std::string hangs_on(const Graph& graph, NodeId node) {
    for (NodeId id : reachable(graph, {node})) {
        const Node& each = graph[id];
        if (each.op != Op::input) continue;
        const Input& input = attribute<Input>(each);
        if (input.source == Input::Source::field) return "the data (`" + input.name + "`)";
        for (const char* moving : {"step", "steps", "epoch", "rows"})
            if (input.name == moving) return fmt::format("`{}`", moving);
    }
    return {};
}

/// A choice such as `bias: const bool`, whose name the param that it asks for takes over.
bool constant_parameter(const Frame& frame, const std::string& name) {
    if (!frame.function) return false;
    const auto& all = frame.function->tree->parameters;
    return std::any_of(all.begin(), all.end(), [&](const ast::Parameter& each) {
        return each.name == name && each.type && each.type->constant;
    });
}

} // namespace

void elaborate_declaration(Elaborator& elaborator, const ast::Declaration& declaration, Span span, Scope& scope) {
    const char* word = declaration.state ? "state" : "param";
    Frame& frame = *scope.frame;
    const std::string& name = declaration.target.name;
    if (!frame.makes_parameters) {
        elaborator.error(Code::parameter_misplaced, span, fmt::format("only models own a {}", word), "",
                         "call this function from a `model`");
        scope.bind(name, {}, declaration.target.span);
        return;
    }
    if (scope.find(name) && !constant_parameter(frame, name)) {
        elaborator.error(Code::hidden_name, declaration.target.span, fmt::format("`{}` already has a value here", name),
                         "", "choose another name");
        return;
    }
    std::string path = frame.path + "." + name;
    if (frame.repeats > 0) path += fmt::format("_{}", ++frame.counts[std::string(word) + " " + name]);
    auto role = declaration.state ? Variable::Role::state : Variable::Role::parameter;
    bool fresh = !elaborator.definitions.find_variable(path);
    Term value = elaborator.variable(role, path, declaration.type ? &*declaration.type : nullptr, declaration.initial,
                                     scope, declaration.target.span);
    Variable* variable = elaborator.definitions.find_variable(path);
    if (fresh && variable && declaration.saved_as) variable->saved_as = *declaration.saved_as;
    if (!declaration.state || value.poisoned()) {
        scope.bind(name, value, declaration.target.span);
        return;
    }
    if (!elaborator.cell(path))
        elaborator.set_cell(path, {*elaborator.root_variable(path)}); // outlives a loop around it
    elaborator.states().insert(path);
    scope.bind_cell(name, path, declaration.target.span);
}

Term Elaborator::variable(Variable::Role role, const std::string& path, const ast::TypeExpr* type,
                          const ast::ExprRef& initial, Scope& scope, Span span, const std::optional<Type>& default_type,
                          int block) {
    std::optional<FullType> written;
    if (type) {
        written = full_type(*type, scope);
        if (!written) return {};
    } else if (default_type) written = FullType{*default_type, true, true, {}};
    if (written && written->type.has_rows()) {
        error(Code::rows_misuse, type ? type->span : span,
              fmt::format("`{}` outlives the step, so it cannot have the rows N", path));
        return {};
    }
    Variable* known = definitions.find_variable(path);
    if (known && written && written->type.shape != known->type.shape) {
        auto model = model_frame(scope.frame);
        auto& report = error(Code::parameter_conflict, model ? model->call_span : span,
                             fmt::format("`{}` is {} in this call, but {} in another: a model owns its parameters once",
                                         path, print(written->type.shape), print(known->type.shape)));
        report.remarks.push_back({definitions.made_in[path], "the other call"});
        report.remarks.push_back({span, "declared here"});
        return {};
    }
    if (known) return *existing_variable(path);
    Variable variable{path, path, role, written ? written->type : Type{floating_default_, {}}, span, block};
    return new_variable(std::move(variable), written, initial, scope);
}

Term Elaborator::new_variable(Variable variable, const std::optional<FullType>& written, const ast::ExprRef& initial,
                              Scope& scope) {
    ElaborationMode starting;
    starting.training = false;
    starting.initial = true;
    Elaborator start(definitions, definitions.initial, starting);
    FloatingDefault same_default(start, variable.type.dtype == Dtype::f64 ? Dtype::f64 : floating_default_);
    Frame frame;
    frame.stream = variable.path;
    frame.module = scope.frame->module;
    frame.initial_shape = shape_term(variable.type.shape);
    frame.floating_default = variable.type.dtype;
    Scope names;
    names.frame = &frame;
    std::vector<std::string> used;
    collect_names(*initial, used);
    for (const std::string& name : used) {
        auto binding = scope.find(name);
        if (!binding) continue;
        auto term = at_start(lookup(name, initial->span, scope), fmt::format("the start of `{}`", variable.path),
                             initial->span);
        if (!term) return {};
        names.bind(name, *term, binding->span);
    }
    Term value = start.evaluate(*initial, names);
    if (value.poisoned()) return {};
    auto own = start.type_of(value);
    if (!written && own) {
        variable.type.shape = own->shape;
        if (floating(own->dtype)) variable.type.dtype = own->dtype;
    }
    NodeId node = start.node(value, initial->span, variable.type.dtype);
    if (node == NodeId::none) return {};
    Shape joined;
    if (!broadcast_shapes(definitions.initial.type(node).shape, variable.type.shape, joined) ||
        joined != variable.type.shape) {
        error(Code::initial_value, initial->span,
              fmt::format("`{}` is {}, but it starts from {}", variable.path, print(variable.type.shape),
                          start.describe(value)));
        return {};
    }
    node = build::broadcast_to(definitions.initial, node, variable.type.shape, initial->span);
    if (auto model = model_frame(scope.frame)) definitions.made_in[variable.path] = model->call_span;
    std::string path = variable.path;
    definitions.add_variable(std::move(variable), node);
    return *existing_variable(path);
}

std::optional<Term> Elaborator::at_start(const Term& term, const std::string& what, Span span) {
    auto value = term.as<NodeTerm>();
    if (!value) return term;
    Graph& from = *levels_[size_t(value->level)]->graph;
    std::string obstacle = value->level ? "a loop" : hangs_on(from, value->node);
    if (!value->labels.empty()) obstacle = "an index";
    if (!obstacle.empty()) {
        error(Code::initial_value, span,
              fmt::format("{} hangs on {}, which is not known before the first step", what, obstacle));
        return {};
    }
    std::unordered_map<NodeId, NodeId> bound;
    for (NodeId id : reachable(from, {value->node}))
        if (from[id].op == Op::variable) bound[id] = definitions.start_of(attribute<VariableName>(from[id]).path);
    NodeId copy = inline_graph(from, {value->node}, definitions.initial, bound)[0];
    return Term{NodeTerm{copy, value->weak, 0, {}}};
}

std::optional<NodeTerm> Elaborator::root_variable(const std::string& path) {
    const Variable* variable = definitions.find_variable(path);
    if (!variable) return {};
    NodeId node = build::variable(*root_, path, variable->type, variable->span);
    root_->name_node(node, path);
    return NodeTerm{node, false, 0, {}};
}

std::optional<Term> Elaborator::existing_variable(const std::string& path) {
    auto outer = root_variable(path);
    return outer ? std::optional(Term{imported(*outer)}) : std::nullopt;
}

} // namespace gradc
