// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Field values by dtype and declared range; initial values by the evaluator; all rounded so that compiled code starts
// from the same numbers.
#include "compiler/check/sample.h"
#include "compiler/graph/rewrite.h"
#include <cmath>

namespace gradc {

double Drawing::uniform() { // splitmix64
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return double((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

double Drawing::normal() {
    double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
}

int64_t Drawing::below(int64_t bound) { return int64_t(uniform() * double(bound)); }

namespace {

constexpr double noise = 0.05; // standard deviation

/// Rounds to f32 where the compiled program holds f32, so that both start from the same number.
double exact(double value, Dtype dtype) { return dtype == Dtype::f32 ? double(float(value)) : value; }

Tensor drawn_field(const Node& node, const SampleOptions& options, Drawing& draw) {
    const Input& input = attribute<Input>(node);
    Tensor tensor{node.type.shape, {}};
    for (int64_t& size : tensor.shape)
        if (size == rows) size = options.batch;
    int64_t size = count(tensor.shape, options.batch);
    bool ranged = input.low <= input.high;
    for (int64_t i = 0; i < size; ++i) {
        double value;
        if (input.name == "#row") value = double(i);
        else if (ranged) value = double(input.low + draw.below(input.high - input.low + 1));
        else if (node.type.dtype == Dtype::u8) value = double(draw.below(256));
        else if (integer(node.type.dtype)) value = double(draw.below(2));
        else value = exact(draw.normal(), node.type.dtype);
        tensor.values.push_back(value);
    }
    return tensor;
}

double scalar(const std::string& name, const std::vector<Flag>& flags, const SampleOptions& options) {
    if (name == "rows") return double(options.batch);
    if (name == "seed") return double(options.seed);
    if (name == "steps") return 100;
    for (const Flag& flag : flags)
        if (flag.input == name) return flag.value;
    return 1; // step, epoch
}

void move_off_special_points(const TrainingJob& job, Environment& environment, Drawing& draw) {
    for (const Variable& variable : job.variables) {
        auto found = environment.variables.find(variable.path);
        if (found == environment.variables.end() || integer(variable.type.dtype)) continue;
        for (double& value : found->second.values) {
            if (variable.role == Variable::Role::parameter) value += noise * draw.normal();
            if (variable.role == Variable::Role::statistic) value = 0.5 + draw.uniform();
            value = exact(value, variable.type.dtype);
        }
    }
}

} // namespace

std::unordered_map<std::string, Tensor> initial_values(const TrainingJob& job, uint64_t seed) {
    Environment environment;
    environment.scalars["seed"] = double(seed);
    for (const TrainBlock& block : job.blocks) // an optimizer's state may start from one of its numbers
        for (const Flag& flag : block.flags) environment.scalars[flag.input] = flag.value;
    std::vector<Tensor> values = evaluate(job.initial, environment);
    std::unordered_map<std::string, Tensor> result;
    for (size_t i = 0; i < values.size(); ++i) {
        const Node& node = job.initial[job.initial.outputs[i].node];
        if (node.op == Op::assign) result[attribute<Assign>(node).path] = std::move(values[i]);
    }
    return result;
}

Environment sample(const TrainingJob& job, const std::vector<Flag>& flags, const Graph& graph,
                   const SampleOptions& options) {
    Environment environment;
    environment.rows = options.batch;
    Drawing draw{options.seed};
    environment.variables = initial_values(job, options.seed);
    move_off_special_points(job, environment, draw);
    for (uint32_t i = 0; i < graph.size(); ++i) {
        const Node& node = graph[NodeId(i)];
        if (node.op != Op::input) continue;
        const Input& input = attribute<Input>(node);
        if (input.source == Input::Source::field)
            environment.fields.emplace(input.name, drawn_field(node, options, draw));
        if (input.source == Input::Source::scalar) environment.scalars[input.name] = scalar(input.name, flags, options);
    }
    return environment;
}

} // namespace gradc
