// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elaborates from memory, draws inputs by name and evaluates.
#include "tests/support/model_text.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

namespace gradc {

ModelText::ModelText(const std::string& text, Options options, std::map<std::string, std::string> files) {
    reader.files = std::move(files);
    uint32_t main = sources.add({"main.grad", text});
    job = elaborate(sources, main, reader, options, diagnostics);
}

const TrainingJob::Circuit& ModelText::model(const std::string& name) const {
    INFO(errors());
    REQUIRE(job);
    for (auto* list : {&job->models, &job->circuits})
        for (const auto& each : *list)
            if (each.model == name) return each;
    FAIL("no model " + name);
    throw 0;
}

Environment draw(const ModelText& text, const Graph& graph, int64_t row_count, double noise, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> real(-1, 1);
    Environment environment;
    environment.rows = row_count;
    environment.scalars = {{"seed", double(seed)}, {"step", 1}};
    std::vector<NodeId> all;
    for (uint32_t i = 0; i < graph.size(); ++i) {
        const Node& node = graph[NodeId(i)];
        if (node.op != Op::input || attribute<Input>(node).source != Input::Source::field) continue;
        const Input& input = attribute<Input>(node);
        Tensor tensor{node.type.shape, {}};
        for (auto& size : tensor.shape)
            if (size == rows) size = row_count;
        tensor.values.resize(size_t(count(tensor.shape, 1)));
        for (double& value : tensor.values) {
            value = real(random);
            if (integer(node.type.dtype))
                value =
                    double(input.low + int64_t(random() % uint64_t(std::max<int64_t>(1, input.high - input.low + 1))));
        }
        environment.fields[input.name] = tensor;
    }
    Environment start;
    start.scalars["seed"] = double(seed);
    auto values = evaluate(text.job->initial, start);
    for (size_t i = 0; i < values.size(); ++i) {
        if (text.job->variables[i].role == Variable::Role::parameter)
            for (double& value : values[i].values) value += noise * real(random);
        environment.variables[text.job->initial.outputs[i].name] = values[i];
    }
    return environment;
}

Tensor value_of(const ModelText& text, const std::string& model, const Environment& environment) {
    return evaluate(text.model(model).graph, environment)[0];
}

double gradient_error(const ModelText& text, const std::string& model, int64_t row_count, uint64_t seed) {
    const auto& circuit = text.model(model);
    Graph graph = circuit.graph;
    NodeId total = NodeId::none;
    for (const Output& output : circuit.graph.outputs) { // weighted by sines, so that all entries differ
        NodeId y = output.node;
        if (!floating(graph.type(y).dtype)) continue;
        Dtype dtype = graph.type(y).dtype;
        for (size_t axis = 0; axis < graph.type(y).shape.size(); ++axis) {
            NodeId at = build::iota(graph, graph.type(y).shape, int(axis), dtype);
            NodeId scale = build::constant(graph, 0.7 + double(axis), dtype);
            NodeId wave = build::elementwise(graph, *graph.primitives().find("sin"),
                                             {build::elementwise(graph, Primitive::multiply, {at, scale})});
            NodeId one = build::constant(graph, 1.5, dtype);
            y = build::elementwise(graph, Primitive::multiply,
                                   {y, build::elementwise(graph, Primitive::add, {wave, one})});
        }
        std::vector<int> axes;
        for (int i = 0; i < graph.type(y).rank(); ++i) axes.push_back(i);
        NodeId sum = build::cast(graph, build::sum(graph, y, axes), Dtype::f64);
        total = total == NodeId::none ? sum : build::elementwise(graph, Primitive::add, {total, sum});
    }
    REQUIRE(total != NodeId::none);
    std::vector<NodeId> wrt;
    for (uint32_t i = 0; i < circuit.graph.size(); ++i) {
        const Node& node = graph[NodeId(i)];
        bool field = node.op == Op::input && attribute<Input>(node).source == Input::Source::field;
        if ((field && floating(node.type.dtype)) || (node.op == Op::variable && floating(node.type.dtype)))
            wrt.push_back(NodeId(i));
    }
    auto gradients = gradient(graph, total, wrt, *text.job->rules);
    INFO(text.errors());
    REQUIRE(!text.diagnostics.failed());
    Environment environment = draw(text, graph, row_count, 0.01, seed);
    Graph loss = extract(graph, {{"loss", total}});
    double worst = -1;
    for (size_t i = 0; i < wrt.size(); ++i) {
        if (gradients[i] == NodeId::none) continue;
        Tensor symbolic = evaluate(extract(graph, {{"g", gradients[i]}}), environment)[0];
        const Node& node = graph[wrt[i]];
        bool field = node.op == Op::input;
        Tensor& at = field ? environment.fields[attribute<Input>(node).name]
                           : environment.variables[attribute<VariableName>(node).path];
        double largest = 0, error = 0;
        size_t stride = std::max<size_t>(1, at.values.size() / 24);
        for (size_t k = 0; k < at.values.size(); k += stride) {
            double keep = at.values[k], h = 1e-5;
            at.values[k] = keep + h;
            double up = evaluate(loss, environment)[0].values[0];
            at.values[k] = keep - h;
            double down = evaluate(loss, environment)[0].values[0];
            at.values[k] = keep;
            double difference = (up - down) / (2 * h);
            largest = std::max({largest, std::abs(difference), std::abs(symbolic.values[k])});
            double off = std::abs(difference - symbolic.values[k]);
            if (!(off <= error)) error = off;
        }
        if (largest > 1e-9) worst = std::max(worst, std::isfinite(error) ? error / largest : 1e9);
    }
    return worst;
}

} // namespace gradc
