// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One symbolic gradient for all parameters of a scalar, then difference quotients parameter by parameter, on a graph
// whose surrogates are linearized.
#include "compiler/check/gradient_check.h"
#include "compiler/graph/analysis.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace gradc {

namespace {

/// The sum of all elements; a scalar itself.
NodeId total(Graph& graph, NodeId value) {
    std::vector<int> axes(graph.type(value).shape.size());
    std::iota(axes.begin(), axes.end(), 0);
    return axes.empty() ? value : build::sum(graph, value, axes);
}

/// True if a value with an axis N depends on a sum over rows.
bool rows_meet(const Graph& graph, NodeId value) {
    std::vector<bool> joined(graph.size());
    for (NodeId id : topological_order(graph, {value})) {
        bool rows_here = graph.type(id).has_rows();
        for (NodeId input : graph[id].inputs) {
            bool summed = graph.type(input).has_rows() && !rows_here;
            if (summed || joined[index(input)]) joined[index(id)] = true;
        }
        if (joined[index(id)] && rows_here) return true;
    }
    return false;
}

} // namespace

std::vector<Question> questions(const TrainingJob& job) {
    std::vector<Question> all;
    for (const TrainBlock& block : job.blocks)
        all.push_back({block.name, block.forward, block.loss, block.parameters, block.flags, block.loss});
    for (const auto* models : {&job.circuits, &job.models})
        for (const TrainingJob::Circuit& circuit : *models) {
            Question question{circuit.model, circuit.graph, NodeId::none, circuit.parameters, {}};
            question.result = circuit.graph.outputs[0].node;
            question.results = circuit.graph.outputs.size();
            question.value = total(question.graph, question.result);
            all.push_back(std::move(question));
        }
    return all;
}

double relative_error(const std::vector<double>& a, const std::vector<double>& b, double least_scale) {
    if (a.size() != b.size()) return INFINITY;
    double worst = 0, scale = least_scale;
    for (size_t i = 0; i < a.size(); ++i) {
        if (std::isnan(a[i]) != std::isnan(b[i])) return INFINITY;
        if (std::isnan(a[i]) || a[i] == b[i]) continue;
        worst = std::max(worst, std::fabs(a[i] - b[i]));
    }
    for (double value : b)
        if (std::isfinite(value)) scale = std::max(scale, std::fabs(value));
    return worst == 0 ? 0 : scale == 0 ? INFINITY : worst / scale;
}

NodeId parameter_named(const Question& question, const std::string& word) {
    NodeId found = NodeId::none;
    for (NodeId id : question.parameters) {
        const std::string& path = attribute<VariableName>(question.graph[id]).path;
        if (path == word) return id;
        bool ends_so = path.size() > word.size() && path.ends_with("." + word);
        if (ends_so && found != NodeId::none) return NodeId::none;
        if (ends_so) found = id;
    }
    return found;
}

int64_t telling_rows(const Graph& graph, NodeId value) { return rows_meet(graph, value) ? 5 : 2; }

int64_t planned_rows(const Graph& graph, NodeId value) {
    std::vector<NodeId> all = reachable(graph, {value});
    bool any = std::any_of(all.begin(), all.end(), [&](NodeId id) { return graph.type(id).has_rows(); });
    return any ? telling_rows(graph, value) : 1;
}

int64_t largest_batch(const TrainingJob& job) {
    int64_t batch = 1;
    for (const TrainBlock& block : job.blocks) batch = std::max(batch, block.batch);
    for (const TrainingJob::Circuit& model : job.models)
        batch = std::max(batch, planned_rows(model.graph, model.graph.outputs[0].node));
    return batch;
}

GradientCheck check_gradient(const TrainingJob& job, const Question& question, const SampleOptions& sampling,
                             const DifferenceOptions& differences) {
    GradientCheck result{{}, 0, {}, question.graph, extract(question.graph, {{"value", question.value}})};
    Graph& graph = result.graph;
    std::vector<NodeId> gradients = gradient(graph, question.value, question.parameters, *job.rules);
    std::vector<Output> outputs = {{"value", question.value}};
    for (size_t i = 0; i < gradients.size(); ++i)
        if (gradients[i] != NodeId::none) outputs.push_back({fmt::format("gradient {}", i), gradients[i]});
    graph = extract(graph, outputs);
    result.environment = sample(job, question.flags, question.graph, sampling);
    std::vector<Tensor> values = evaluate(graph, result.environment);
    result.value = values[0].values.at(0);
    Followed followed = follow_surrogates(result.loss, *job.rules);
    result.surrogates = followed.any;
    HeldValues held;
    Environment center = result.environment;
    center.held = &held;
    evaluate(followed.graph, center);
    size_t next = 1;
    for (size_t i = 0; i < gradients.size(); ++i) {
        const Node& node = question.graph[question.parameters[i]];
        CheckedParameter entry{attribute<VariableName>(node).path, node.type, {}};
        entry.independent = gradients[i] == NodeId::none;
        entry.gradient = entry.independent
                             ? Tensor{node.type.shape, std::vector<double>(size_t(count(node.type.shape, 1)))}
                             : values[next++];
        DifferenceResult found =
            compare_with_differences(followed.graph, center, entry.path, entry.gradient, differences);
        entry.surrogate = passes_through(result.loss, entry.path, followed.bent);
        entry.difference = found.error;
        entry.largest = found.largest;
        result.parameters.push_back(std::move(entry));
    }
    return result;
}

} // namespace gradc
