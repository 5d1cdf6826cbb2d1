// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc grad: the value of a model without arguments (or of a training loss on a sampled batch) and its gradients, by
// the evaluator, in double. --dot draws the graph: above each edge the value, below it the gradient that flows back.
#include "compiler/check/gradient_check.h"
#include "compiler/commands/commands.h"
#include "compiler/commands/tensor_text.h"
#include "compiler/gradient/backward.h"
#include "compiler/graph/rewrite.h"
#include "compiler/pipeline.h"
#include "compiler/util/files.h"
#include "dsl/diagnostic.h"
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <set>

namespace gradc {
namespace {

/// Models without arguments; if there are none, the training losses.
std::vector<Question> answered(const TrainingJob& job) {
    std::vector<Question> all = questions(job);
    if (!job.circuits.empty()) all.erase(all.begin(), all.begin() + long(job.blocks.size()));
    return all;
}

/// The text of one line, for labels.
std::string text_of(const Tensor& tensor) {
    if (tensor.shape.empty()) return number_text(tensor.values[0]);
    std::string text = print(tensor.shape) + " (";
    for (size_t i = 0; i < tensor.values.size() && i < 8; ++i) text += (i ? ", " : "") + number_text(tensor.values[i]);
    return text + (tensor.values.size() > 8 ? ", ..)" : ")");
}

std::string short_path(const std::string& path, const std::string& model) {
    return path.rfind(model + ".", 0) == 0 ? path.substr(model.size() + 1) : path;
}

/// The reason why a `--value` name fits no question, or "".
std::string unknown_name(const std::map<std::string, std::string>& at, const std::vector<Question>& all,
                         const TrainingJob& job) {
    for (const auto& [name, text] : at) {
        std::vector<std::string> known;
        bool found = false;
        for (const Question& question : all) {
            found = found || parameter_named(question, name) != NodeId::none;
            for (NodeId id : question.parameters)
                known.push_back(short_path(attribute<VariableName>(question.graph[id]).path, question.name));
        }
        if (found) continue;
        auto near = nearest(name, known);
        return fmt::format("{} has no parameter `{}`{}", job.name, name,
                           near ? fmt::format(" (did you mean `{}`?)", *near) : "");
    }
    return {};
}

/// Replaces initial values by those of `--value`; returns an error or "".
std::string apply(const std::map<std::string, std::string>& at, const Question& question, Environment& environment) {
    for (const auto& [name, text] : at) {
        NodeId parameter = parameter_named(question, name);
        if (parameter == NodeId::none) continue; // of another question
        Tensor& found = environment.variables.at(attribute<VariableName>(question.graph[parameter]).path);
        auto given = read_tensor(text);
        if (!given)
            return fmt::format("--value {}={}: neither a number nor a list such as [1, 2] or [[1, 2]]", name, text);
        bool spread = given->shape.empty();
        if (!spread && given->shape != found.shape)
            return fmt::format("--value {}={}: `{}` is {}, but this is {}", name, text, name,
                               found.shape.empty() ? "a number" : print(found.shape), print(given->shape));
        for (size_t i = 0; i < found.values.size(); ++i) found.values[i] = given->values[spread ? 0 : i];
    }
    return {};
}

struct Flowing {
    std::vector<std::string> value;                         // of every node
    std::map<std::pair<NodeId, NodeId>, std::string> share; // the gradient from a node (first) to one of its inputs
};

/// One drawing of several: a cluster with its own names. A value that a node reads twice has one edge.
std::string cluster_text(const Question& question, size_t number_of_question, const Flowing& flowing) {
    const Graph& graph = question.graph;
    std::string own = fmt::format("m{}_", number_of_question);
    std::string text = fmt::format("  subgraph cluster_{} {{\n  label=\"{}\";\n", number_of_question, question.name);
    for (NodeId id : reachable(graph, {question.value})) {
        const Node& node = graph[id];
        std::string label = node.op == Op::elementwise
                                ? std::string(graph.primitives().name(attribute<Elementwise>(node).primitive))
                            : node.op == Op::variable ? attribute<VariableName>(node).path
                            : node.op == Op::constant ? number_text(attribute<Constant>(node).values[0])
                                                      : std::string(name(node.op));
        text += fmt::format("  {}n{} [label=\"{}\"];\n", own, index(id), label);
        for (NodeId input : std::set<NodeId>(node.inputs.begin(), node.inputs.end())) {
            auto share = flowing.share.find({id, input});
            text += fmt::format("  {}n{} -> {}n{} [label=\"{}\\n{}\"];\n", own, index(input), own, index(id),
                                flowing.value[index(input)],
                                share != flowing.share.end() ? share->second
                                : node.op == Op::part        ? ""
                                                             : "0");
        }
    }
    return text + fmt::format("  {}result [shape=plaintext, label=\"\"];\n  {}n{} -> {}result "
                              "[label=\"{}\\n1\"];\n  }}\n",
                              own, own, index(question.value), own, flowing.value[index(question.value)]);
}

/// A node alone: its floating inputs are replaced by leaves, to separate the gradient that it passes to each of them
/// from those of other nodes.
struct Apart {
    NodeId node, copy;
    std::map<NodeId, NodeId> leaves; // by input
};

Apart apart(Graph& graph, NodeId id, Environment& environment, const std::map<NodeId, Tensor>& values) {
    const Node node = graph[id];
    Apart result{id, id, {}};
    std::vector<NodeId> inputs = node.inputs;
    for (size_t k = node.op == Op::custom_gradient ? 1 : 0; k < inputs.size();
         ++k) { // the first input of a custom_gradient receives nothing
        auto value = values.find(inputs[k]);
        if (value == values.end()) continue;
        std::string name = fmt::format("edge {} {}", index(inputs[k]), index(id));
        NodeId leaf = graph.add(Op::input, graph.type(inputs[k]), {}, Input{Input::Source::field, name, 0, -1});
        environment.fields[name] = value->second;
        result.leaves[inputs[k]] = leaf;
        inputs[k] = leaf;
    }
    result.copy = graph.add(node.op, node.type, inputs, node.attributes, node.span);
    return result;
}

/// The gradient that arrives at the results of `id`; for a loop those of its parts, copied after `copy`.
std::vector<Seed> received(Graph& graph, const Apart& apart, const std::map<NodeId, NodeId>& gradients) {
    auto own = gradients.find(apart.node);
    if (graph[apart.node].op != Op::scan)
        return own == gradients.end() ? std::vector<Seed>{} : std::vector<Seed>{{apart.copy, own->second}};
    std::vector<Seed> seeds;
    for (const auto& [id, gradient] : gradients) {
        const Node node = graph[id];
        if (node.op != Op::part || node.inputs[0] != apart.node) continue;
        seeds.push_back({graph.add(Op::part, node.type, {apart.copy}, node.attributes, node.span), gradient});
    }
    return seeds;
}

/// The values of all nodes below `question.value`, and the gradient on each edge.
Flowing flow(const Question& question, const DerivativeRules& rules, Environment environment) {
    Graph graph = question.graph;
    std::vector<NodeId> all = reachable(graph, {question.value}), inner;
    for (NodeId id : all)
        if (floating(graph.type(id).dtype)) inner.push_back(id);
    std::vector<NodeId> totals = gradient(graph, question.value, inner, rules);
    graph.outputs.clear();
    for (NodeId id : inner) graph.outputs.push_back({"value", id});
    std::vector<Tensor> tensors = evaluate(graph, environment);
    Flowing flowing;
    flowing.value.resize(question.graph.size());
    std::map<NodeId, Tensor> values;
    std::map<NodeId, NodeId> gradients;
    for (size_t i = 0; i < inner.size(); ++i) {
        flowing.value[index(inner[i])] = text_of(tensors[i]);
        values[inner[i]] = tensors[i];
        if (totals[i] != NodeId::none) gradients[inner[i]] = totals[i];
    }
    graph.outputs.clear();
    std::vector<std::pair<NodeId, NodeId>> edges;
    for (NodeId id : all) {
        if (graph[id].inputs.empty() || graph[id].op == Op::part) continue;
        Apart node = apart(graph, id, environment, values);
        std::vector<NodeId> leaves;
        for (const auto& [input, leaf] : node.leaves) leaves.push_back(leaf);
        auto seeds = received(graph, node, gradients);
        auto shares = backpropagate(graph, seeds, leaves, rules);
        size_t next = 0;
        for (const auto& [input, leaf] : node.leaves) {
            NodeId share = shares[next++];
            if (share == NodeId::none) continue;
            edges.push_back({id, input});
            graph.outputs.push_back({"share", share});
        }
    }
    tensors = evaluate(graph, environment);
    for (size_t i = 0; i < edges.size(); ++i) flowing.share[edges[i]] = text_of(tensors[i]);
    return flowing;
}

int answer(const Question& question, const TrainingJob& job, const CommandLine& line) {
    Graph graph = question.graph;
    std::vector<NodeId> gradients = gradient(graph, question.value, question.parameters, *job.rules);
    graph.outputs = {{"value", question.result}, {"sum", question.value}};
    for (NodeId id : gradients)
        if (id != NodeId::none) graph.outputs.push_back({"gradient", id});
    SampleOptions options{line.batch ? line.batch : 2, line.seed};
    Environment environment = sample(job, question.flags, graph, options);
    auto start = initial_values(job, line.seed); // exactly the initial values, without noise
    for (auto& [path, tensor] : start) environment.variables[path] = std::move(tensor);
    if (std::string error = apply(line.at, question, environment); !error.empty()) {
        complain("gradc grad: {}\n", error);
        return exit_code::usage;
    }
    std::vector<Tensor> values = evaluate(graph, environment);
    std::string text = tensor_text(question.name, values[0]);
    if (question.results > 1) text += fmt::format("It is the first of {} results.\n", question.results);
    if (!values[0].shape.empty())
        text += fmt::format("The gradients are those of its sum, {}. For those of one number return\n"
                            "`mean(..)` or an element, such as `y{}`.\n",
                            number_text(values[1].values[0]), print(Shape(values[0].shape.size(), 0)));
    size_t next = 2;
    for (size_t i = 0; i < question.parameters.size(); ++i) {
        const std::string& path = attribute<VariableName>(graph[question.parameters[i]]).path;
        std::string head = "d/d" + short_path(path, question.name);
        text += gradients[i] == NodeId::none ? head + " = 0\n" : tensor_text(head, values[next++]);
    }
    print_out(text);
    return exit_code::done;
}

int draw(const std::vector<Question>& all, const TrainingJob& job, const CommandLine& line) {
    std::string text = "digraph gradient {\n  rankdir=LR;\n  node [shape=box, style=rounded, "
                       "fontname=\"sans-serif\"];\n"
                       "  edge [fontname=\"monospace\", fontsize=10];\n";
    for (size_t i = 0; i < all.size(); ++i) {
        SampleOptions options{line.batch ? line.batch : 2, line.seed};
        Environment environment = sample(job, all[i].flags, all[i].graph, options);
        auto start = initial_values(job, line.seed);
        for (auto& [path, tensor] : start) environment.variables[path] = std::move(tensor);
        apply(line.at, all[i], environment);
        text += cluster_text(all[i], i + 1, flow(all[i], *job.rules, environment));
    }
    std::string error = write_file(line.dot, text + "}\n");
    if (error.empty()) return exit_code::done;
    complain("gradc grad: cannot write {}: {}\n", line.dot, error);
    return exit_code::input;
}

} // namespace

int grad_command(const CommandLine& line) {
    FileReader reader;
    std::string error;
    Front front = load(line, reader, error);
    if (!front.job) return refuse(front, error, line);
    std::vector<Question> all = answered(*front.job);
    if (all.empty()) {
        complain("gradc grad: {} has neither a model without arguments nor a train block\n", line.model);
        return exit_code::input;
    }
    if (std::string wrong = unknown_name(line.at, all, *front.job); !wrong.empty()) {
        complain("gradc grad: {}\n", wrong);
        return exit_code::usage;
    }
    for (const Question& question : all)
        if (int code = answer(question, *front.job, line); code != exit_code::done) return code;
    return line.dot.empty() ? exit_code::done : draw(all, *front.job, line);
}

} // namespace gradc
