// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A statistic is a value that depends on train.* alone and that a row uses, or that is a field itself.
#include "compiler/dataset/columns.h"
#include "compiler/dataset/rows.h"
#include "compiler/dataset/whole_split.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

constexpr std::string_view train_prefix = "train.";

bool of_train(const Node& node) {
    auto* input = std::get_if<Input>(&node.attributes);
    return input && input->source == Input::Source::field && input->name.starts_with(train_prefix);
}

NodeId field_input(Graph& graph, const Node& like, const std::string& name) {
    Input input = attribute<Input>(like);
    input.name = name;
    Shape shape = like.type.shape;
    if (shape.empty() || shape[0] != rows) shape.insert(shape.begin(), rows);
    return graph.add(Op::input, {like.type.dtype, shape}, {}, input, like.span);
}

/// Fields and row numbers as inputs [N, ..], with a prefix to their names.
RowSources inputs_with(const std::string& prefix) {
    RowSources sources;
    sources.field = [prefix](Graph& graph, const Node& input) {
        return field_input(graph, input, prefix + attribute<Input>(input).name);
    };
    sources.row_numbers = [prefix](Graph& graph) {
        Input numbers{Input::Source::field, prefix + "#row", 0, -1};
        return graph.add(Op::input, {Dtype::i32, {rows}}, {}, numbers);
    };
    return sources;
}

class Columns {
public:
    Columns(Definitions& definitions, const Graph& row, const std::vector<RowField>& fields, DatasetPlan& plan)
        : definitions_(definitions), row_(row), fields_(fields), plan_(plan) {}

    void find_statistics();
    void build_columns();
    void build_statistics();

private:
    Definitions& definitions_;
    const Graph& row_;
    const std::vector<RowField>& fields_;
    DatasetPlan& plan_;
    std::map<NodeId, std::string> cuts_; // values of row_ that become statistics, by path

    void cut(const RowField& user, NodeId value);
    void add_zero(const Variable& variable);
};

void Columns::cut(const RowField& user, NodeId value) {
    if (cuts_.count(value)) return;
    if (row_.type(value).has_rows()) {
        definitions_.diagnostics->report(
            Code::statistic_misuse, user.span,
            fmt::format("`{}` uses the whole column of the training split in a formula of one row", user.name), "",
            "reduce the column first: mean(train.x, axis: 0), max(train.x)");
        return;
    }
    int number = 1;
    std::string start = fmt::format("{}.{}.", plan_.spec.name, user.name);
    for (const auto& each : cuts_) number += each.second.starts_with(start);
    cuts_[value] = start + std::to_string(number);
}

void Columns::find_statistics() {
    auto differs = differs_by_row(row_);
    std::vector<bool> from_train(row_.size(), false);
    for (uint32_t i = 0; i < row_.size(); ++i) {
        const Node& node = row_[NodeId(i)];
        from_train[i] = of_train(node);
        for (NodeId input : node.inputs) from_train[i] = from_train[i] || from_train[index(input)];
    }
    auto statistic = [&](NodeId id) { return from_train[index(id)] && !differs[index(id)]; };
    for (const RowField& field : fields_) {
        if (statistic(field.node)) cut(field, field.node);
        for (NodeId id : reachable(row_, {field.node}))
            if (differs[index(id)])
                for (NodeId input : row_[id].inputs)
                    if (statistic(input)) cut(field, input);
    }
}

void Columns::build_columns() {
    RowSources sources = inputs_with("");
    sources.fixed = [this](Graph& graph, NodeId id) {
        auto found = cuts_.find(id);
        if (found == cuts_.end()) return NodeId::none;
        return build::variable(graph, found->second, row_.type(id), row_[id].span);
    };
    std::vector<NodeId> roots;
    for (const RowField& field : fields_) roots.push_back(field.node);
    auto nodes = over_rows(row_, roots, plan_.columns, sources);
    for (size_t i = 0; i < nodes.size(); ++i) {
        plan_.columns.name_node(nodes[i], fields_[i].name);
        plan_.fields.push_back({fields_[i].name, nodes[i]});
    }
    plan_.columns.outputs = plan_.fields;
    for (size_t i = 0; i < nodes.size(); ++i)
        for (NodeId id : reachable(plan_.columns, {nodes[i]})) {
            auto input = std::get_if<Input>(&plan_.columns[id].attributes);
            if (!input || input->source != Input::Source::scalar || input->name != "rows") continue;
            definitions_.diagnostics->report(
                Code::statistic_misuse, fields_[i].span,
                fmt::format("`{}` is a formula of one row, where N is not defined", fields_[i].name));
            break;
        }
}

void Columns::add_zero(const Variable& variable) {
    const Type& type = variable.type;
    definitions_.add_variable(variable, build::constant(definitions_.initial, 0, type.dtype, type.shape));
}

void Columns::build_statistics() {
    if (cuts_.empty()) return;
    std::vector<Output> formulas;
    for (const auto& [node, path] : cuts_) formulas.push_back({path, node});
    Graph train = extract(row_, formulas);
    Graph split = rebuild(train, [&](Graph& graph, NodeId id, const std::vector<NodeId>&) {
        const Node& node = train[id];
        if (!of_train(node)) return NodeId::none;
        return field_input(graph, node, attribute<Input>(node).name.substr(train_prefix.size()));
    });
    WholeSplitRequest request;
    request.prefix = plan_.spec.name + ".train";
    request.formulas = split.outputs;
    auto parts = split_formulas(split, request);
    for (const SplitProblem& problem : parts.problems)
        definitions_.diagnostics->report(
            Code::statistic_misuse, split[problem.node].span,
            fmt::format("this statistic cannot be computed batch by batch: {}", problem.reason));
    plan_.statistics.passes = std::move(parts.split.passes);
    Graph finish = std::move(parts.split.finish);
    std::vector<Output> assigns;
    for (const Output& output : finish.outputs) {
        auto found = std::find_if(cuts_.begin(), cuts_.end(), [&](auto& each) { return each.second == output.name; });
        Type type = row_.type(found->first);
        NodeId value = build::cast(finish, output.node, type.dtype);
        assigns.push_back({output.name, build::assign(finish, output.name, value)});
        Span span = row_[found->first].span;
        add_zero({output.name, output.name, Variable::Role::statistic, type, span});
    }
    plan_.statistics.finish = extract(finish, assigns);
    for (const Variable& variable : parts.accumulators) add_zero(variable);
}

} // namespace

NodeId train_column(Graph& row, NodeId node) {
    return over_rows(row, {node}, row, inputs_with(std::string(train_prefix)))[0];
}

void take_columns(Definitions& definitions, const Graph& row, const std::vector<RowField>& fields, DatasetPlan& plan) {
    size_t errors = definitions.diagnostics->count();
    Columns columns(definitions, row, fields, plan);
    columns.find_statistics();
    if (definitions.diagnostics->count() > errors) return;
    columns.build_columns();
    columns.build_statistics();
}

} // namespace gradc
