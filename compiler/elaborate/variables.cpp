// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Initial values are elaborated by an Elaborator of their own into Definitions::initial, where random numbers depend on
// seed and path alone.
#include "compiler/elaborate/variables.h"
#include "compiler/graph/rewrite.h"
#include "runtime/base/pattern.h"
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

/// The first input that a value depends on and that is not known before the first step; "" if there is none. Flags are
/// known: they are set once.
std::string unknown_at_start(const Graph& graph, NodeId node) {
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

/// True for a const parameter such as `bias: const bool`, whose name a param may take over.
bool constant_parameter(const Frame& frame, const std::string& name) {
    if (!frame.function) return false;
    const auto& all = frame.function->tree->parameters;
    return std::any_of(all.begin(), all.end(), [&](const ast::Parameter& each) {
        return each.name == name && each.type && each.type->constant;
    });
}

/// A value of this graph as it is before the first step, in Definitions::initial or `derived`; nothing after an error.
std::optional<Term> at_start(Elaborator& elaborator, const Term& term, Graph& to, const std::string& what, Span span) {
    auto value = term.as<NodeTerm>();
    if (!value) return term;
    const Graph& from = elaborator.levels.graph(value->level);
    std::string obstacle = value->level ? "a loop" : unknown_at_start(from, value->node);
    if (!value->labels.empty()) obstacle = "an index";
    if (!obstacle.empty()) {
        elaborator.error(Code::initial_value, span,
                         fmt::format("{} depends on {}, which is not known before the first step", what, obstacle));
        return {};
    }
    Definitions& definitions = elaborator.definitions;
    std::unordered_map<NodeId, NodeId> bound;
    for (NodeId id : reachable(from, {value->node})) {
        if (from[id].op != Op::variable) continue;
        const std::string& path = attribute<VariableName>(from[id]).path;
        bound[id] = &to == &definitions.initial ? definitions.start_of(path) : definitions.derived_start_of(path);
    }
    NodeId copy = inline_graph(from, {value->node}, to, bound)[0];
    return Term{NodeTerm{copy, value->weak, 0, {}}};
}

/// True if the value reads a variable.
bool reads_variable(Elaborator& elaborator, const Term& term) {
    auto value = term.as<NodeTerm>();
    if (!value) return false;
    const Graph& graph = elaborator.levels.graph(value->level);
    auto nodes = reachable(graph, {value->node});
    return std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) { return graph[id].op == Op::variable; });
}

/// The initial value as a node of `graph`, which gives the variable its type if none is written; nothing after an error.
/// Tells whether it depends on other variables.
std::optional<NodeId> start_value(Elaborator& elaborator, Graph& graph, Variable& variable,
                                  const std::optional<FullType>& written, const ast::ExprRef& initial, Scope& scope,
                                  bool& depends) {
    ElaborationMode starting;
    starting.training = false;
    starting.initial = true;
    Elaborator start(elaborator.definitions, graph, starting);
    FloatingDefault same_default(start, variable.type.dtype == Dtype::f64 ? Dtype::f64 : elaborator.floating_default);
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
        Term read = lookup(elaborator, name, initial->span, scope);
        auto term =
            at_start(elaborator, read, graph, fmt::format("the initial value of `{}`", variable.path), initial->span);
        if (!term) return {};
        depends = depends || reads_variable(elaborator, read);
        names.bind(name, *term, binding->span);
    }
    Term value = start.evaluate(*initial, names);
    if (value.poisoned()) return {};
    auto own = type_of(start, value);
    if (!written && own) {
        variable.type.shape = own->shape;
        if (floating(own->dtype)) variable.type.dtype = own->dtype;
    }
    NodeId node = to_node(start, value, initial->span, variable.type.dtype);
    if (node == NodeId::none) return {};
    Shape joined;
    if (!broadcast_shapes(graph.type(node).shape, variable.type.shape, joined) || joined != variable.type.shape) {
        elaborator.error(Code::initial_value, initial->span,
                         fmt::format("`{}` is {}, but its initial value is {}", variable.path,
                                     print(variable.type.shape), describe(start, value)));
        return {};
    }
    return build::broadcast_to(graph, node, variable.type.shape, initial->span);
}

Term new_variable(Elaborator& elaborator, Variable variable, const std::optional<FullType>& written,
                  const ast::ExprRef& initial, Scope& scope) {
    Definitions& definitions = elaborator.definitions;
    bool depends = false;
    auto node = start_value(elaborator, definitions.initial, variable, written, initial, scope, depends);
    if (!node) return {};
    auto again = depends ? start_value(elaborator, definitions.derived, variable, written, initial, scope, depends)
                         : std::optional(NodeId::none);
    if (!again) return {};
    if (auto model = model_frame(scope.frame)) definitions.made_in[variable.path] = model->call_span;
    std::string path = variable.path;
    definitions.add_variable(std::move(variable), *node, *again);
    return *existing_variable(elaborator, path);
}

} // namespace

/// The node of a variable that exists, in the graph outside of all loops; nothing if it does not exist.
static std::optional<NodeTerm> root_variable(Elaborator& elaborator, const std::string& path) {
    const Variable* variable = elaborator.definitions.find_variable(path);
    if (!variable) return {};
    NodeId node = build::variable(elaborator.levels.root(), path, variable->type, variable->span);
    elaborator.levels.root().name_node(node, path);
    return NodeTerm{node, false, 0, {}};
}

std::string saved_as_text(Elaborator& elaborator, const std::string& text, Span span, const Scope& scope) {
    std::string result;
    for (size_t i = 0; i < text.size(); ++i) {
        size_t end = text[i] == '{' ? text.find('}', i) : std::string::npos;
        if (end == std::string::npos) {
            result += text[i];
            continue;
        }
        std::string name = text.substr(i + 1, end - i - 1);
        const Binding* known = scope.find(name);
        auto value = known ? known->value.as<ConstantNumber>() : nullptr;
        if (!value || value->kind != ConstantNumber::Kind::integer)
            elaborator.error(Code::not_constant, span, fmt::format("`{{{}}}` is not an integer constant", name), "",
                             "`as` takes a string with the numbers of `repeat` in braces: \"h.{i}\"");
        result += value ? std::to_string(int64_t(value->value)) : "";
        i = end;
    }
    return result;
}

std::string name_in_files(const Frame& frame, const std::string& name) {
    bool model = frame.function && frame.function->tree->kind == ast::FunctionKind::model;
    const std::string& before = frame.saved_as.empty() && !model ? frame.path : frame.saved_as;
    return before.empty() ? name : before + "." + name;
}

/// Sets the name of a variable in files. Two variables cannot have one name.
static void set_name_in_files(Elaborator& elaborator, Variable& variable, const std::string& name, Span span) {
    for (const Variable& other : elaborator.definitions.variables)
        if (other.path != variable.path && other.saved_as == name)
            elaborator.error(
                Code::duplicate_definition, span,
                fmt::format("`{}` and `{}` have the same name in files: \"{}\"", other.path, variable.path, name), "",
                "give each call and each iteration a name of its own: as \"h.{i}\"");
    variable.saved_as = name;
}

/// The name in files of a model's variable where the call of the model is named `name`.
static std::string named_by_call(const Variable& variable, const std::string& model, const std::string& name) {
    if (variable.saved_as.starts_with(name + ".")) return variable.saved_as;
    return name + "." +
           (variable.saved_as == variable.path ? variable.path.substr(model.size() + 1) : variable.saved_as);
}

void name_model_in_files(Elaborator& elaborator, const std::string& model, const std::string& name, Span span) {
    for (Variable& each : elaborator.definitions.variables) {
        if (!each.path.starts_with(model + ".")) continue;
        std::string named = named_by_call(each, model, name);
        if (named != each.saved_as) set_name_in_files(elaborator, each, named, span);
    }
}

bool names(const std::string& pattern, const Variable& variable) {
    return runtime::matches(pattern, variable.path) || runtime::matches(pattern, variable.saved_as);
}

/// True if `freeze` names the state, whose model's call may get a name only when it ends.
static bool is_frozen(const Elaborator& elaborator, Variable state, const Frame& frame) {
    const Frame* model = model_frame(&frame);
    const Frame* caller = model ? model->caller : nullptr;
    if (caller && !caller->called_as.empty())
        state.saved_as = named_by_call(state, model->path, name_in_files(*caller, caller->called_as));
    const auto& patterns = elaborator.mode.frozen;
    return std::any_of(patterns.begin(), patterns.end(), [&](auto& pattern) { return names(pattern, state); });
}

/// The name in files of a variable that was just declared, if it has one beside its path.
static void name_declared(Elaborator& elaborator, const ast::Declaration& declaration, Variable& variable, Span span,
                          const Scope& scope) {
    const Frame& frame = *scope.frame;
    std::string name;
    if (declaration.saved_as) name = saved_as_text(elaborator, *declaration.saved_as, span, scope);
    else if (!frame.saved_as.empty()) name = variable.path.substr(variable.path.rfind('.') + 1);
    if (!name.empty()) set_name_in_files(elaborator, variable, name_in_files(frame, name), span);
}

void elaborate_declaration(Elaborator& elaborator, const ast::Declaration& declaration, Span span, Scope& scope) {
    const char* word = declaration.state ? "state" : "param";
    Frame& frame = *scope.frame;
    const std::string& name = declaration.target.name;
    if (!frame.makes_parameters) {
        elaborator.error(Code::parameter_misplaced, span, fmt::format("only models can declare a {}", word), "",
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
    Term value = variable_at(elaborator, role, path, declaration.type ? &*declaration.type : nullptr,
                             declaration.initial, scope, declaration.target.span);
    Variable* variable = elaborator.definitions.find_variable(path);
    if (fresh && variable) name_declared(elaborator, declaration, *variable, declaration.target.span, scope);
    if (!declaration.state || value.poisoned()) {
        scope.bind(name, value, declaration.target.span);
        return;
    }
    if (!elaborator.cells.find(path)) elaborator.cells.set(path, {*root_variable(elaborator, path)}); // outlives a loop
    elaborator.cells.add_state(path, value);
    frame.frozen = frame.frozen || is_frozen(elaborator, *variable, frame);
    scope.bind_cell(name, path, declaration.target.span);
}

Term variable_at(Elaborator& elaborator, Variable::Role role, const std::string& path, const ast::TypeExpr* type,
                 const ast::ExprRef& initial, Scope& scope, Span span, const std::optional<Type>& default_type,
                 int block) {
    std::optional<FullType> written;
    if (type) {
        written = full_type(elaborator, *type, scope);
        if (!written) return {};
    } else if (default_type) written = FullType{*default_type, true, true, {}};
    if (written && written->type.has_rows()) {
        elaborator.error(Code::rows_misuse, type ? type->span : span,
                         fmt::format("`{}` keeps its value after the step, so it cannot have the rows N", path));
        return {};
    }
    Variable* known = elaborator.definitions.find_variable(path);
    if (known && written && written->type.shape != known->type.shape) {
        auto model = model_frame(scope.frame);
        auto& report = elaborator.error(
            Code::parameter_conflict, model ? model->call_span : span,
            fmt::format("`{}` is {} in this call, but {} in another: all calls of a model share its parameters", path,
                        print(written->type.shape), print(known->type.shape)));
        report.remarks.push_back({elaborator.definitions.made_in[path], "the other call"});
        report.remarks.push_back({span, "declared here"});
        return {};
    }
    if (known) return *existing_variable(elaborator, path);
    Variable variable{path, path, role, written ? written->type : Type{elaborator.floating_default, {}}, span, block};
    return new_variable(elaborator, std::move(variable), written, initial, scope);
}

std::optional<Term> existing_variable(Elaborator& elaborator, const std::string& path) {
    auto outer = root_variable(elaborator, path);
    return outer ? std::optional(Term{elaborator.levels.imported(*outer)}) : std::nullopt;
}

std::vector<std::pair<std::string, Term>> updated_states(Elaborator& elaborator) {
    std::vector<std::pair<std::string, Term>> result;
    for (const std::string& path : elaborator.cells.states()) {
        const Term& value = *elaborator.cells.find(path);
        auto at_start = existing_variable(elaborator, path);
        if (!at_start || !same(*at_start, value)) result.push_back({path, value});
    }
    return result;
}

} // namespace gradc
