// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Generated fields are computed once, before the first step, if that is worth their memory.
#include "compiler/elaborate/library/wrong_names.h"
#include "compiler/elaborate/variables.h"
#include "compiler/graph/ranges.h"
#include "compiler/graph/rewrite.h"
#include "compiler/training/block.h"
#include "dsl/other_names.h"
#include <fmt/format.h>

namespace gradc {

namespace {

/// "net.linear_1.w" of a chain of members; nothing if it starts from another expression.
std::optional<std::string> path_of(const ast::Expr& expression) {
    if (auto name = std::get_if<ast::Name>(&expression.node)) return name->name;
    auto member = std::get_if<ast::Member>(&expression.node);
    auto front = member ? path_of(*member->object) : std::nullopt;
    return front ? std::optional(*front + "." + member->name) : std::nullopt;
}

/// The most bytes that the columns of generated fields may take; larger ones are computed again in each step.
constexpr int64_t most_resident = int64_t(256) << 20;

/// True if a field is computed from ranges, row numbers and random numbers alone, without a file or list.
bool generated(const DatasetPlan& plan, NodeId field) {
    bool differs = false;
    for (NodeId id : reachable(plan.columns, {field})) {
        auto input = std::get_if<Input>(&plan.columns[id].attributes);
        if (!input || input->source != Input::Source::field) continue;
        for (const Field& stored : plan.spec.fields)
            if (stored.name == input->name && !stored.reader.is_row_number()) return false;
        differs = true;
    }
    return differs;
}

bool draws(const Graph& graph, NodeId value) {
    for (NodeId id : reachable(graph, {value}))
        if (graph[id].op == Op::random || graph[id].op == Op::scan) return true;
    return false;
}

/// Integers without random numbers are computed faster than they are loaded.
bool worth_keeping(const DatasetPlan& plan, NodeId field) {
    const Node& node = plan.columns[field];
    if (node.op == Op::input || node.type.dtype == Dtype::bf16) return false;
    bool costly = floating(node.type.dtype) || draws(plan.columns, field);
    return costly && generated(plan, field);
}

/// Fields that the trainer computes once, for all rows, before the first step. The number of rows must be known when
/// compiling.
std::vector<bool> resident_fields(const DatasetPlan& plan) {
    std::vector<bool> result(plan.fields.size(), false);
    int64_t row_count = 0, size = 0;
    for (const Field& field : plan.spec.fields) {
        if (field.reader.rows == 0 || field.reader.window > 0) return result;
        row_count = field.reader.rows;
    }
    for (size_t i = 0; i < result.size(); ++i) {
        NodeId field = plan.fields[i].node;
        result[i] = worth_keeping(plan, field);
        const Type& type = plan.columns.type(field);
        if (result[i]) size += bytes(type.dtype) * count(type.shape, row_count);
        if (size > most_resident) return std::vector<bool>(plan.fields.size(), false);
    }
    return result;
}

/// True for floating fields that the data set generates: rows to predict bring their values.
bool brought(const DatasetPlan& plan, NodeId field) {
    Dtype dtype = plan.columns.type(field).dtype;
    return floating(dtype) && dtype != Dtype::bf16 && generated(plan, field);
}

/// The field as an input of the programs, with the range of its formula.
NodeId given_field(const DatasetPlan& plan, const Output& field, Graph& graph) {
    const Type& type = plan.columns.type(field.node);
    Input given{Input::Source::field, field.name, 0, -1};
    if (integer(type.dtype) && type.dtype != Dtype::boolean) {
        Range range = IntegerRanges(plan.columns)(field.node);
        given.low = range.low, given.high = range.high;
    }
    return graph.add(Op::input, type, {}, given, plan.columns[field.node].span);
}

} // namespace

void BlockScope::open(Elaborator& elaborator, Scope& scope, bool predicting) const {
    for (const char* name : run_scalars) scope.bind(name, run_scalar(elaborator, name));
    if (dataset_ < 0) return;
    const DatasetPlan& plan = context_.datasets[size_t(dataset_)];
    std::vector<NodeId> roots;
    for (const Output& field : plan.fields) roots.push_back(field.node);
    auto nodes = inline_graph(plan.columns, roots, elaborator.levels.root(), {});
    std::vector<bool> resident = resident_fields(plan);
    for (size_t i = 0; i < nodes.size(); ++i) {
        bool given = predicting ? brought(plan, roots[i]) : dataset_ == 0 && resident[i];
        if (given) nodes[i] = given_field(plan, plan.fields[i], elaborator.levels.root());
    }
    for (size_t i = 0; i < nodes.size(); ++i)
        scope.bind(plan.fields[i].name, elaborator.term(nodes[i]), plan.spec.span);
    for (const auto& [name, size] : plan.sizes) scope.names[name] = Binding{size, plan.spec.span, "", true};
}

std::optional<Term> BlockScope::call(Elaborator& elaborator, const ast::Call& call, Span span, Scope& scope) {
    if (!flags) return {};
    return flags->call(elaborator, call, span, scope);
}

std::optional<Term> BlockScope::member(Elaborator& elaborator, const ast::Member& member, Span span, Scope&) {
    auto front = path_of(*member.object);
    if (!front) return {};
    std::string path = *front + "." + member.name;
    if (auto term = existing_variable(elaborator, path)) return *term;
    std::vector<std::string> known;
    for (const Variable& variable : context_.definitions.variables)
        if (variable.role == Variable::Role::parameter || variable.role == Variable::Role::state)
            known.push_back(variable.path);
    if (auto foreign = foreign_member(ast::Expr{span, member}, *context_.definitions.sources)) {
        elaborator.error(Code::unknown_member, foreign->span, foreign->message, "", foreign->repair);
        return Term{};
    }
    elaborator.error(Code::unknown_parameter, span, fmt::format("no line above uses a parameter `{}`", path), "",
                     known.empty() ? "the call of a model creates its parameters"
                                   : repair_among(path, known, "parameters"));
    return Term{};
}

} // namespace gradc
