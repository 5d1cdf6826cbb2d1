// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The formulas of a block are elaborated once per mode, each time into a graph of its own: training (with gradients and
// optimizer), evaluation, prediction. The order of the lines is kept, so that models are first called in that order.
#include "compiler/training/block.h"
#include "compiler/dataset/whole_split.h"
#include "compiler/elaborate/library/wrong_names.h"
#include "compiler/elaborate/variables.h"
#include "compiler/graph/rewrite.h"
#include "compiler/training/generation.h"
#include "compiler/training/optimizer.h"
#include <algorithm>
#include <fmt/format.h>
#include <span>

namespace gradc {

namespace {

enum class Purpose : uint8_t { training, evaluation, prediction, generation };

std::span<const ast::Target> frozen(const BlockLines& lines) {
    auto line = lines.one.find("freeze");
    return line == lines.one.end() ? std::span<const ast::Target>() : line->second->on;
}

bool any_names(std::span<const ast::Target> targets, const Variable& variable) {
    return std::any_of(targets.begin(), targets.end(), [&](auto& target) { return names(target.name, variable); });
}

/// The block elaborated for one purpose.
struct Pass {
    Graph graph;
    Elaborator elaborator;
    BlockScope extension;
    Frame frame;
    Scope scope;
    NodeId loss = NodeId::none, prediction = NodeId::none;
    std::vector<Output> metrics;

    Pass(const BlockContext& context, const TrainBlock& block, const BlockLines& lines, Purpose purpose)
        : graph(context.definitions.primitives), elaborator(context.definitions, graph, mode(block, lines, purpose)),
          extension(context, block.dataset),
          frame(block_frame(elaborator.definitions, block.name, context.definitions.main_module, &extension)) {
        scope.frame = &frame;
        extension.open(elaborator, scope, purpose >= Purpose::prediction);
    }

    static ElaborationMode mode(const TrainBlock& block, const BlockLines& lines, Purpose purpose) {
        ElaborationMode result;
        for (const ast::Target& target : frozen(lines)) result.frozen.push_back(target.name);
        result.training = purpose == Purpose::training;
        result.in_run = true;
        result.rows_of_data = block.dataset >= 0;
        result.largest_batch = block.batch;
        return result;
    }
};

class BlockElaboration {
public:
    BlockElaboration(const BlockContext& context, const ast::Train& tree, TrainBlock& block)
        : context_(context), definitions_(context.definitions), tree_(tree),
          lines_(lines_of(tree, *context.definitions.diagnostics)), block_(block),
          span_(tree.name_span.known() || tree.items.empty() ? tree.name_span : tree.items[0].span) {}

    bool run() {
        errors_ = definitions_.diagnostics->count();
        if (!read_settings(context_, lines_, span_, block_) || !has_lines()) return false;
        name_metrics();
        if (!train() || !evaluate()) return false;
        return (!lines_.one.count("predict") || predict()) && (!lines_.one.count("generate") || generate());
    }

private:
    const BlockContext& context_;
    Definitions& definitions_;
    const ast::Train& tree_;
    BlockLines lines_;
    TrainBlock& block_;
    Span span_;
    size_t errors_ = 0;
    std::map<const ast::Setting*, std::string> metric_names_;

    bool good() const { return definitions_.diagnostics->count() == errors_; }
    bool has_lines();
    void name_metrics();
    void elaborate(Pass& pass, Purpose purpose);
    void setting(Pass& pass, const ast::Setting& line, Purpose purpose);
    NodeId loss(Pass& pass, const ast::Setting& line);
    bool train();
    bool evaluate();
    bool predict();
    bool generate();
    const Field* text() const;
    std::vector<MovedParameter> moved(Pass& pass, Flags& flags);
    bool check_targets(const ast::Setting& line, const std::vector<Variable>& variables);
    void check_line(const ast::Setting& line, const std::vector<Variable>& parameters, bool moves);
    void build_forward(const Pass& pass, const std::vector<MovedParameter>& parameters);
    void take(SplitFormulas& split);
};

bool BlockElaboration::has_lines() {
    auto missing = [&](const char* what, const char* example) {
        definitions_.diagnostics->report(Code::missing_setting, span_, fmt::format("this train block has no {}", what),
                                         "", example);
    };
    if (!lines_.one.count("loss")) missing("loss", "loss mean((model(x) - y)^2)");
    if (lines_.optimizers.empty()) missing("optimizer", "optimizer adam(learning_rate: 1e-3)");
    return good();
}

void BlockElaboration::name_metrics() {
    std::map<std::string, int> used{{"loss", 1}};
    for (const ast::Setting* line : lines_.metrics) {
        std::string name = "metric";
        if (auto call = std::get_if<ast::Call>(&line->value->node)) name = call->callee;
        if (auto plain = std::get_if<ast::Name>(&line->value->node)) name = plain->name;
        if (line->label) name = line->label->name;
        int number = ++used[name];
        if (number > 1 && line->label)
            definitions_.diagnostics->report(Code::repeated_setting, line->label->span,
                                             fmt::format("`{}` is already the name of a metric or of the loss", name));
        metric_names_[line] = number > 1 ? fmt::format("{}_{}", name, number) : name;
    }
}

// ---- the text

void BlockElaboration::elaborate(Pass& pass, Purpose purpose) {
    for (const ast::TrainItem& item : tree_.items) {
        if (auto statement = std::get_if<ast::Statement>(&item.node)) {
            if (pass.elaborator.run(*statement, pass.scope))
                pass.elaborator.error(Code::bad_setting, statement->span, "a train block returns nothing", "",
                                      "add a `metric` line");
        } else setting(pass, std::get<ast::Setting>(item.node), purpose);
    }
}

void BlockElaboration::setting(Pass& pass, const ast::Setting& line, Purpose purpose) {
    bool predicts = purpose >= Purpose::prediction;
    if (!line.value) return;
    OriginScope origin(pass.graph, line.value->span);
    if (line.key == "loss" && !predicts) pass.loss = loss(pass, line);
    if (line.key == "metric" && !predicts) {
        Term value = pass.elaborator.evaluate(*line.value, pass.scope);
        NodeId node = value.poisoned() ? NodeId::none : to_node(pass.elaborator, value, line.value->span);
        if (node != NodeId::none) pass.metrics.push_back({metric_names_.at(&line), node});
    }
    if (line.key == "predict" && purpose == Purpose::prediction) {
        Term value = pass.elaborator.evaluate(*line.value, pass.scope);
        if (!value.poisoned()) pass.prediction = to_node(pass.elaborator, value, line.value->span);
    }
}

NodeId BlockElaboration::loss(Pass& pass, const ast::Setting& line) {
    Term value = pass.elaborator.evaluate(*line.value, pass.scope);
    auto type = type_of(pass.elaborator, value);
    if (value.poisoned()) return NodeId::none;
    NodeId node = type ? to_node(pass.elaborator, value, line.value->span) : NodeId::none;
    if (type && node == NodeId::none) return node;
    if (type && type->shape.empty() && floating(pass.graph.type(node).dtype)) {
        pass.graph.name_node(node, "loss");
        return node;
    }
    pass.elaborator.error(
        Code::loss_type, line.value->span,
        fmt::format("the loss must be one floating-point number, not {}", describe(pass.elaborator, value)), "",
        "reduce it: mean(..) or sum(..)");
    return NodeId::none;
}

// ---- training

bool BlockElaboration::check_targets(const ast::Setting& line, const std::vector<Variable>& variables) {
    for (const ast::Target& target : line.on) {
        if (std::any_of(variables.begin(), variables.end(), [&](auto& each) { return names(target.name, each); }))
            continue;
        std::vector<std::string> known;
        auto add = [&](std::string name) {
            if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(std::move(name));
        };
        for (const Variable& each : variables) {
            for (const std::string& name : {each.path, each.saved_as})
                for (size_t end = 0; end != name.npos;) add(name.substr(0, end = name.find('.', end + 1)));
        }
        std::string_view word = target.name;
        if (word.ends_with(".*")) word.remove_suffix(2);
        definitions_.diagnostics->report(Code::unknown_parameter, target.span,
                                         fmt::format("there is no parameter `{}`", target.name), "",
                                         repair_among(std::string(word), known, "parameters"));
        return false;
    }
    return true;
}

void BlockElaboration::check_line(const ast::Setting& line, const std::vector<Variable>& parameters, bool moves) {
    if (moves || !check_targets(line, parameters)) return;
    definitions_.diagnostics->report(Code::nothing_to_train, line.key_span, "this optimizer updates no parameter",
                                     !frozen(lines_).empty() ? "`freeze` or an earlier line holds those that it names"
                                     : parameters.empty()    ? "the loss depends on no parameter at all"
                                     : line.on.empty() ? "earlier lines take all parameters that the loss depends on"
                                                       : "the loss does not depend on the named parameters");
}

/// Each parameter that the loss depends on, with the first optimizer line that takes it; frozen ones have no gradient.
std::vector<MovedParameter> BlockElaboration::moved(Pass& pass, Flags& flags) {
    std::vector<Variable> all, with_states;
    std::vector<MovedParameter> result;
    for (const Variable& variable : definitions_.variables) {
        if (variable.role == Variable::Role::parameter) all.push_back(variable);
        if (variable.role <= Variable::Role::state) with_states.push_back(variable);
    }
    if (auto line = lines_.one.find("freeze"); line != lines_.one.end()) check_targets(*line->second, with_states);
    for (NodeId id : reachable(pass.graph, {pass.loss})) {
        if (pass.graph[id].op != Op::variable) continue;
        const std::string& path = attribute<VariableName>(pass.graph[id]).path;
        const Variable& variable = *definitions_.find_variable(path);
        if (variable.role == Variable::Role::parameter && !any_names(frozen(lines_), variable))
            result.push_back({path, id, NodeId::none, nullptr});
    }
    std::vector<NodeId> nodes;
    for (const auto& each : result) nodes.push_back(each.node);
    auto gradients = gradient(pass.graph, pass.loss, nodes, derivative_rules(definitions_));
    for (size_t i = 0; i < result.size(); ++i) result[i].gradient = gradients[i];
    std::erase_if(result, [](const MovedParameter& each) { return each.gradient == NodeId::none; });
    for (size_t number = 0; number < lines_.optimizers.size(); ++number) {
        const ast::Setting& line = *lines_.optimizers[number];
        pass.extension.flags = &flags;
        auto optimizer = read_optimizer(pass.elaborator, *line.value, pass.scope, flags);
        pass.extension.flags = nullptr;
        bool moves = false;
        for (MovedParameter& each : result) {
            bool has = line.on.empty() || any_names(line.on, *definitions_.find_variable(each.path));
            if (each.optimizer || !has) continue;
            moves = true;
            each.line = int(number);
            each.span = line.value->span;
            each.optimizer = optimizer;
        }
        if (optimizer) check_line(line, all, moves);
    }
    std::erase_if(result, [](const MovedParameter& each) { return !each.optimizer; });
    std::sort(result.begin(), result.end(), [&](const MovedParameter& a, const MovedParameter& b) {
        auto place = [&](const std::string& path) {
            return std::find_if(all.begin(), all.end(), [&](auto& each) { return each.path == path; });
        };
        return place(a.path) < place(b.path);
    });
    return result;
}

void BlockElaboration::build_forward(const Pass& pass, const std::vector<MovedParameter>& parameters) {
    std::vector<Output> outputs{{"loss", pass.loss}};
    outputs.insert(outputs.end(), pass.metrics.begin(), pass.metrics.end());
    block_.forward = extract(pass.graph, outputs);
    block_.loss = block_.forward.outputs[0].node;
    for (const MovedParameter& each : parameters)
        block_.parameters.push_back(build::variable(block_.forward, each.path, pass.graph.type(each.node)));
}

void BlockElaboration::take(SplitFormulas& split) {
    for (Variable& variable : split.accumulators)
        definitions_.add_variable(variable, build::constant(definitions_.initial, 0, Dtype::f64, variable.type.shape));
}

/// The loss, the metrics and the states of a step are those of the forward pass that its gradient has, so that it is the
/// only one.
static void move_to(Pass& pass, std::vector<Output>& outputs, const std::unordered_map<NodeId, NodeId>& point) {
    std::vector<NodeId> roots;
    for (const Output& each : outputs) roots.push_back(each.node);
    for (const Output& each : pass.metrics) roots.push_back(each.node);
    std::vector<NodeId> moved = substitute(pass.graph, roots, point);
    for (size_t i = 0; i < moved.size(); ++i)
        (i < outputs.size() ? outputs[i] : pass.metrics[i - outputs.size()]).node = moved[i];
    pass.loss = outputs[0].node;
    pass.graph.name_node(pass.loss, "loss");
}

bool BlockElaboration::train() {
    Pass pass(context_, block_, lines_, Purpose::training);
    elaborate(pass, Purpose::training);
    if (!good() || pass.loss == NodeId::none) return false;
    Flags flags(block_.name, block_.flags);
    auto parameters = moved(pass, flags);
    if (!good()) return false;
    build_forward(pass, parameters);
    std::vector<Output> outputs{{"loss", pass.loss}};
    auto assign = [&](const std::string& path, NodeId value) {
        outputs.push_back({path, build::assign(pass.graph, path, value)});
    };
    for (const auto& [path, value] : updated_states(pass.elaborator))
        assign(path, to_node(pass.elaborator, value, span_));
    auto moves = run_optimizers({definitions_, pass.graph, pass.elaborator.mode, block_.name, context_.number,
                                 definitions_.main_module, pass.loss, parameters});
    if (!moves || !good()) return false;
    if (!moves->point.empty()) move_to(pass, outputs, moves->point);
    for (const auto& [path, value] : moves->values) assign(path, value);
    auto split = split_formulas(
        pass.graph, {block_.name + ".training", {{"loss", pass.loss}}, pass.metrics, true, context_.number});
    take(split);
    for (const Graph& first : split.split.passes) {
        std::vector<NodeId> roots;
        for (const Output& output : first.outputs) roots.push_back(output.node);
        auto nodes = inline_graph(first, roots, pass.graph, {});
        for (size_t i = 0; i < nodes.size(); ++i) outputs.push_back({first.outputs[i].name, nodes[i]});
    }
    block_.training.finish = std::move(split.split.finish);
    block_.step = extract(pass.graph, outputs);
    return true;
}

// ---- evaluation and prediction

bool BlockElaboration::evaluate() {
    Pass pass(context_, block_, lines_, Purpose::evaluation);
    elaborate(pass, Purpose::evaluation);
    if (!good() || pass.loss == NodeId::none) return false;
    auto split = split_formulas(
        pass.graph, {block_.name + ".evaluation", {{"loss", pass.loss}}, pass.metrics, false, context_.number});
    for (const SplitProblem& problem : split.problems) {
        Span line = span_;
        for (const auto& [setting, name] : metric_names_)
            if (name == problem.output) line = setting->value->span;
        definitions_.diagnostics->report(
            Code::metric_type, line,
            fmt::format("`{}` cannot be computed over a whole split: {}", problem.output, problem.reason), "",
            "reduce over the rows: mean(..), sum(..)");
    }
    take(split);
    block_.evaluation = std::move(split.split);
    for (const Output& output : block_.evaluation.finish.outputs)
        block_.metrics.push_back({output.name, block_.evaluation.finish.type(output.node)});
    return good();
}

bool BlockElaboration::predict() {
    Pass pass(context_, block_, lines_, Purpose::prediction);
    elaborate(pass, Purpose::prediction);
    if (!good() || pass.prediction == NodeId::none) return false;
    block_.predict = extract(pass.graph, {{"predict", pass.prediction}});
    return true;
}

/// The field of characters of the block's data set; null if there is none.
const Field* BlockElaboration::text() const {
    if (block_.dataset < 0) return nullptr;
    for (const Field& field : context_.datasets[size_t(block_.dataset)].spec.fields)
        if (!field.reader.alphabet.empty()) return &field;
    return nullptr;
}

bool BlockElaboration::generate() {
    Pass pass(context_, block_, lines_, Purpose::generation);
    elaborate(pass, Purpose::generation);
    auto generation = good() ? elaborate_generation(pass.elaborator, *lines_.one.at("generate"), text(),
                                                    block_.name + ".generate", pass.scope)
                             : std::nullopt;
    if (!generation) return false;
    for (Variable& carried : generation->carried) {
        carried.block = context_.number;
        NodeId zero = build::constant(definitions_.initial, 0, carried.type.dtype, carried.type.shape);
        definitions_.add_variable(carried, zero);
    }
    block_.generate = extract(pass.graph, generation->outputs);
    block_.context = generation->context;
    return true;
}

} // namespace

std::optional<TrainBlock> elaborate_block(const BlockContext& context, const ast::Train& tree,
                                          const std::string& name) {
    Graph empty(context.definitions.primitives);
    TrainBlock block{
        {.name = name, .flags = {}, .metrics = {}}, empty, NodeId::none, {}, empty, {{}, empty}, {{}, empty}, {}, {}};
    if (!BlockElaboration(context, tree, block).run()) return {};
    return block;
}

} // namespace gradc
