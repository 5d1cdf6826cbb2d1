// What the formulas of a train block see beside the language.
#include "compiler/elaborate/train_block.h"
#include "compiler/graph/rewrite.h"
#include <fmt/format.h>

namespace gradc {

namespace {

/// "net.linear_1.w" of a chain of members; nothing where it starts from another expression.
std::optional<std::string> path_of(const ast::Expr& expression) {
    if (auto name = std::get_if<ast::Name>(&expression.node)) return name->name;
    auto member = std::get_if<ast::Member>(&expression.node);
    auto front = member ? path_of(*member->object) : std::nullopt;
    return front ? std::optional(*front + "." + member->name) : std::nullopt;
}

/// Made of ranges, numbers of rows and chance alone: no file or list brings it.
bool generated(const DatasetPlan& plan, NodeId field) {
    bool differs = false;
    for (NodeId id : reachable(plan.columns, {field})) {
        auto input = std::get_if<Input>(&plan.columns[id].attributes);
        if (!input || input->source != Input::Source::field) continue;
        for (const Field& stored : plan.spec.fields)
            if (stored.name == input->name && stored.reader.kind != Reader::Kind::range)
                return false;
        differs = true;
    }
    return differs;
}

} // namespace

void BlockScope::open(Elaborator& elaborator, Scope& scope, bool predicting) const {
    for (const char* name : {"step", "steps", "epoch"}) scope.bind(name, elaborator.scalar(name));
    if (dataset_ < 0) return;
    const DatasetPlan& plan = context_.datasets[size_t(dataset_)];
    std::vector<NodeId> roots;
    for (const Output& field : plan.fields) roots.push_back(field.node);
    auto nodes = inline_graph(plan.columns, roots, elaborator.root(), {});
    for (size_t i = 0; predicting && i < nodes.size(); ++i) {
        Type type = plan.columns.type(roots[i]);
        if (!floating(type.element) || type.element == Element::bf16 || !generated(plan, roots[i]))
            continue;
        Input given{Input::Source::field, plan.fields[i].name, 0, -1};
        nodes[i] = elaborator.root().add(Op::input, type, {}, given, plan.spec.span);
    }
    for (size_t i = 0; i < nodes.size(); ++i)
        scope.bind(plan.fields[i].name, elaborator.term(nodes[i]), plan.spec.span);
    for (const auto& [name, size] : plan.sizes)
        scope.names[name] = Binding{size, plan.spec.span, "", true};
}

std::optional<Term> BlockScope::call(Elaborator& elaborator, const ast::Call& call, Span span,
                                     Scope& scope) {
    if (!flags) return {};
    return flags->call(elaborator, call, span, scope);
}

std::optional<Term> BlockScope::member(Elaborator& elaborator, const ast::Member& member, Span span,
                                       Scope&) {
    auto front = path_of(*member.object);
    if (!front) return {};
    std::string path = *front + "." + member.name;
    if (auto term = elaborator.existing_variable(path)) return *term;
    std::vector<std::string> known;
    for (const Variable& variable : context_.definitions.variables)
        if (variable.role == Variable::Role::parameter || variable.role == Variable::Role::state)
            known.push_back(variable.path);
    auto near = nearest(path, known);
    elaborator.error(Code::unknown_parameter, span,
                     fmt::format("no parameter `{}` was used above here", path), "",
                     near ? fmt::format("did you mean `{}`?", *near)
                          : "a parameter is made by the call of its model");
    return Term{};
}

bool matches(const std::string& pattern, const std::string& path) {
    size_t star = pattern.find('*');
    if (star == std::string::npos) return path == pattern || path.starts_with(pattern + ".");
    if (path.size() < star || path.compare(0, star, pattern, 0, star) != 0) return false;
    std::string rest = pattern.substr(star + 1);
    if (rest.find('*') == std::string::npos)
        return path.size() >= star + rest.size() && path.ends_with(rest);
    for (size_t i = star; i <= path.size(); ++i)
        if (matches("x" + rest, "x" + path.substr(i))) return true;
    return false;
}

} // namespace gradc
