// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers in training and in evaluation: the loss mean(y / (1 + y^2) + y / 10) and its gradient by every weight and
// input. A few rows, one zero and one large; compiled code compared with the evaluator and with differences. In
// training also the states after a step.
#include "compiler/check/sample.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "tests/library/compiled.h"
#include "tests/library/points.h"
#include "tests/library/proof.h"
#include <cmath>
#include <fmt/format.h>

namespace gradc::library {

namespace {

struct LayerFormula {
    const char *entry, *formula;
    bool left = false;   // at 0 it takes the derivative of the left side
    double bound = 2e-5; // relative error of compiled f32
};

constexpr LayerFormula layers[] = {
    {"prelu", "prelu(x)", true},
    {"linear", "linear(x, 3)"},
    {"linear", "linear(x, 3, bias: false)"},
    {"maxout", "maxout(x, 2, 3)"},
    {"embedding", "embedding(i, 3)"},
    {"dropout", "dropout(x, 0.3)"},
    {"layer_norm", "layer_norm(x)"},
    {"rms_norm", "rms_norm(x)"},
    {"batch_norm", "batch_norm(x)"},
    {"batch_norm", "batch_norm(image, momentum: 0.3)"},
    {"conv2d", "conv2d(image, 2, kernel_size: 2)"},
    {"conv2d", "conv2d(image, 3, kernel_size: 2, stride: 2, padding: 1)"},
    {"conv2d", "conv2d(image, 2, kernel_size: 3, stride: 2, padding: \"same\")"},
    {"conv_transpose2d", "conv_transpose2d(image, 2, kernel_size: 3)"},
    {"depthwise_conv2d", "depthwise_conv2d(image, 2)"},
    {"max_pool2d", "max_pool2d(image, 2)"},
    {"avg_pool2d", "avg_pool2d(image, 2)"},
    {"max_pool1d", "max_pool1d(time, 2)"},
    {"avg_pool1d", "avg_pool1d(time, 2)"},
    {"sequence_mask", "time * reshape(sequence_mask(i, 3), [N, 3, 1])"},
    {"rnn_cell", "rnn_cell(x, time[:, 0])"},
    {"rnn_cell", "rnn_cell(x, time[:, 0], activation: \"relu\")"},
    {"rnn", "rnn(time, 2)"},
    {"rnn", "rnn(time, 2, 2, bidirectional: true, dropout: 0.3, activation: \"relu\", mask: sequence_mask(i, 3))"},
    {"lstm_cell", "state_and_cell(x, time[:, 0], time[:, 1])"},
    {"lstm", "lstm(time, 2)"},
    {"lstm", "lstm(time, 2, 2, bidirectional: true, dropout: 0.3, mask: sequence_mask(i, 3))"},
    {"lstm", "lstm(time, 4, norm: true, bias: false)"},
    {"lstm", "lstm(time, 2, h: time[:, 1:2, 1:3], c: time[:, 2:, 2:])"},
    {"gru_cell", "gru_cell(x, time[:, 0])"},
    {"gru", "gru(time, 2)"},
    {"gru", "gru(time, 2, 2, bidirectional: true, dropout: 0.3, mask: sequence_mask(i, 3))"},
    {"gru", "gru(time, 4, norm: true)"},
    {"minimal_gated_unit", "minimal_gated_unit(time, 2)"},
    {"minimal_gated_unit", "minimal_gated_unit(time, 2, 2, true, mask: sequence_mask(i, 3), bias: false)"},
    {"flip", "flip(time)"},
    {"attention", "attention(time, 2)"},
    {"attention", "attention(time, 2, causal: true)"},
    {"attention",
     "attention(time, 4, kv_heads: 2, window: 2, alibi: true, dropout: 0.2, key_mask: sequence_mask(i, 3))"},
    {"attention", "attention(time, 2, causal: true, window: 2, rotary: true, bias: false)"},
    {"masked_softmax", "masked_softmax(x, image[:, 0, :, 0] > 0)"},
    {"scaled_dot_product_attention", "scaled_dot_product_attention(image[:, 1:], image, image, causal: true)"},
    {"multi_head_attention", "multi_head_attention(time, image[:, :, 0], image[:, :, 1], 2, kv_heads: 1, bias: false)"},
    {"multi_head_attention", "multi_head_attention(time, time, time, 2, head_size: 4, rotary: true)"},
    {"position_embedding", "position_embedding(time)"},
    {"sinusoidal_position_encoding", "sinusoidal_position_encoding(time)"},
    {.entry = "transformer_encoder_block", .formula = "transformer_encoder_block(time, 2, 3)", .bound = 1e-4},
    {.entry = "transformer_encoder_block",
     .formula = "transformer_encoder_block(time, 2, 3, 0, \"gelu\", norm_first: true)",
     .bound = 1e-4},
    {.entry = "transformer_decoder_block",
     .formula = "transformer_decoder_block(time, image[:, :, 0], 2, 3, bias: false)",
     .bound = 1e-4},
    {.entry = "transformer_decoder_block",
     .formula =
         "transformer_decoder_block(time, time, 1, 3, 0, norm_first: true, key_mask: sequence_mask(i, 3), bias: false)",
     .bound = 1e-4},
    {"rotary_embedding", "rotary_embedding(image, base: 100, interleaved: true)"},
    {"feed_forward", "feed_forward(x)"},
    {"rotary_embedding", "rotary_embedding(image)"},
    {"conv1d", "conv1d(time, 2, kernel_size: 2)"},
    {"conv1d", "conv1d(time, 4, stride: 2, padding: 1, groups: 2, bias: false)"},
    {"conv1d", "conv1d(time, 3, kernel_size: 2, dilation: 2, padding: \"same\")"},
    {"conv2d", "conv2d(image, 4, kernel_size: [3, 1], stride: [1, 2], padding: [1, 0], dilation: [1, 2], groups: 2)"},
    {"conv2d", "conv2d(image, 2, kernel_size: 3, padding: \"valid\", bias: false)"},
    {"conv3d", "conv3d(reshape(image, [N, 2, 2, 4, 2]), 2, padding: 1)"},
    {"conv3d", "conv3d(reshape(image, [N, 2, 2, 4, 2]), 4, [1, 2, 2], [1, 1, 2], groups: 2, bias: false)"},
    {"depthwise_conv2d", "depthwise_conv2d(image, stride: 2, padding: 1, bias: false)"},
    {"conv_transpose1d", "conv_transpose1d(time, 2)"},
    {"conv_transpose1d", "conv_transpose1d(time, 2, kernel_size: 3, padding: \"same\", bias: false)"},
    {"conv_transpose2d", "conv_transpose2d(image, 2, kernel_size: [3, 2], stride: [2, 1], padding: [1, 0])"},
    {"max_pool1d", "max_pool1d(time, 2, stride: 1, padding: 1)"},
    {"max_pool2d", "max_pool2d(image, 3, stride: 2, padding: 1)"},
    {"avg_pool1d", "avg_pool1d(time, 3, stride: 1, padding: 1)"},
    {"avg_pool2d", "avg_pool2d(image, [3, 2], stride: 2, padding: [1, 0])"},
    {"global_avg_pool2d", "global_avg_pool2d(image)"},
    {"global_max_pool2d", "global_max_pool2d(image)"},
    {"adaptive_avg_pool2d", "adaptive_avg_pool2d(image, 2)"},
    {"adaptive_avg_pool2d", "adaptive_avg_pool2d(image, [3, 1])"},
    {"upsample2d", "upsample2d(image)"},
    {"upsample2d", "upsample2d(image, 3, mode: \"bilinear\")"},
    {"channels_last", "channels_last(image)"},
    {.entry = "residual_block", .formula = "residual_block(image, 2)", .bound = 1e-4},
    {.entry = "residual_block", .formula = "residual_block(image, 3, stride: 2)", .bound = 1e-4},
    {"squeeze_excitation", "squeeze_excitation(image, 2)"},
    {"group_norm", "group_norm(x, 2)"},
    {"group_norm", "group_norm(image, 2)"},
    {"instance_norm", "instance_norm(image)"},
    {.entry = "instance_norm", .formula = "instance_norm(time, affine: true)", .bound = 1e-4}, // of three numbers
    {"random_shift", "random_shift(image, 1)"},
    {"random_flip", "random_flip(image)"},
    {"random_flip", "random_flip(image, 0.25, mode: \"vertical\")"},
    {"random_crop", "random_crop(image, 3)"},
    {"random_crop", "random_crop(image, [4, 3], padding: 1)"},
    {"random_erase", "random_erase(image, max_area: 0.5)"},
    {"cumsum", "cumsum(x)"},
    {"cumsum", "cumsum(image, axis: 1)"},
    {"cumprod", "cumprod(image, axis: 2)"},
    {"sort", "sort(x)"},
    {"sort", "sort(image, axis: 1, descending: true)"},
    {"argsort", "image * argsort(image)"},
    {"argsort", "image * argsort(image, axis: 1, descending: true)"},
    {"top_k", "largest_two(reshape(image, [N, 4, 8]))"},
    {"flip", "flip(image, axis: -1)"},
    {"flatten", "flatten(image)"},
    {"info_nce", "info_nce(x + 1, time[:, 0] + 2)"},
    {"info_nce", "info_nce(x, time[:, 1], 20, normalize: false)"},
    {"ctc_loss", "ctc_of(time, i)"},
    {"weight_norm", "weight_normed(x)"},
    {"spectral_norm", "spectrally_normed(x)"},
    {"mixture_of_experts", "mixture_of_experts(x + 1, 4, hidden: 3)"},
    {"mixture_of_experts", "mixture_of_experts(time + [0.4, 0.3, 0.2, 0.1], 3, 1, 2, activation: \"gelu\")"},
    {"load_balancing_loss", "load_balancing_loss(x + [0.4, 0.3, 0.2, 0.1])"},
    {"load_balancing_loss", "load_balancing_loss(time + [0.4, 0.3, 0.2, 0.1], k: 2)"},
    {"selective_scan",
     "selective_scan(time, softplus(time), -exp(image[0, 0, :, :]), image[:, 1:, 0], image[:, 1:, 1], 1 + x[0])"},
    {"mamba_block", "mamba_block(time, states: 2, kernel_size: 2)"},
    {"linear", "linear(x, 3, transposed: true)"},
};

constexpr int64_t batch = 6;

struct Subject {
    const LayerFormula* formula;
    std::string program;
    Graph graph; // outputs: loss, then gradients, then states after the step
    NodeId loss;
    std::vector<NodeId> wrt;
    Environment environment;
    std::vector<Tensor> exact;
    size_t gradients = 0;
};

/// Inputs by which to differentiate: floating fields and parameters.
std::vector<NodeId> differentiable(const Graph& graph, const std::vector<NodeId>& parameters) {
    std::vector<NodeId> wrt = parameters;
    for (const char* name : {"x", "image", "time"})
        if (NodeId id = field(graph, name); id != NodeId::none) wrt.push_back(id);
    return wrt;
}

Tensor& place(Subject& subject, NodeId id) {
    const Node& node = subject.graph[id];
    return node.op == Op::variable ? subject.environment.variables.at(attribute<VariableName>(node).path)
                                   : subject.environment.fields.at(attribute<Input>(node).name);
}

/// One row of zeros and one of large numbers.
void set_special_rows(Environment& environment) {
    for (const char* name : {"x", "time"}) {
        auto found = environment.fields.find(name);
        if (found == environment.fields.end()) continue;
        size_t each = found->second.values.size() / size_t(environment.rows);
        for (size_t k = 0; k < each; ++k) {
            found->second.values[k] = 0;
            found->second.values[each + k] = (k % 2 ? -1 : 1) * (*name == 'x' ? 100 : 10);
        }
    }
}

void differentiate_subject(Subject& subject, const TrainingJob& job, const std::vector<NodeId>& parameters) {
    Graph& graph = subject.graph;
    subject.wrt = differentiable(graph, parameters);
    std::vector<Output> outputs = {{subject.program + " loss", subject.loss}};
    auto derivatives = gradient(graph, subject.loss, subject.wrt, *job.rules);
    std::vector<NodeId> kept;
    for (size_t i = 0; i < derivatives.size(); ++i)
        if (derivatives[i] != NodeId::none) {
            outputs.push_back({fmt::format("{} gradient {}", subject.program, i), derivatives[i]});
            kept.push_back(subject.wrt[i]);
        }
    subject.gradients = kept.size();
    outputs.insert(outputs.end(), graph.outputs.begin(), graph.outputs.end());
    std::vector<std::string> names;
    for (NodeId id : kept) {
        const Node& node = graph[id];
        names.push_back(node.op == Op::variable ? attribute<VariableName>(node).path : attribute<Input>(node).name);
    }
    graph = extract(graph, outputs);
    subject.loss = graph.outputs[0].node;
    subject.wrt.clear();
    for (const std::string& name : names)
        for (uint32_t i = 0; i < graph.size(); ++i) {
            const Node& node = graph[NodeId(i)];
            if ((node.op == Op::variable && attribute<VariableName>(node).path == name) ||
                (node.op == Op::input && attribute<Input>(node).name == name))
                subject.wrt.push_back(NodeId(i));
        }
}

void finish_subject(Subject& subject, const TrainingJob& job) {
    subject.environment = sample(job, {}, subject.graph, {batch, 3});
    set_special_rows(subject.environment);
    subject.exact = evaluate(subject.graph, subject.environment);
}

/// The values of top_k, times their places; a cell's state, plus half of its cell; ctc_loss for up to two labels of
/// three steps; layers with norms of their weights.
constexpr const char* calls = "fn largest_two(x) { v, i = top_k(x, 2);  return v * (1 + i) }\n"
                              "fn state_and_cell(x, h, c) { h, c = lstm_cell(x, h, c);  return h + c / 2 }\n"
                              "fn ctc_of(x, i) { l[n, s < 2] = 1 + (i[n] + s) % 3\n"
                              "return ctc_loss(log_softmax(x), l, 3 - i // 3, min(i, 2)) }\n"
                              "fn weight_normed(x) { param w: [4, 3] = normal();  return x @ weight_norm(w) }\n"
                              "fn spectrally_normed(x) { param w: [4, 3] = normal();  return x @ spectral_norm(w) }\n";

std::string fields_text() { return "x: f32[N, 4], i: int[N] < 4, image: f32[N, 4, 4, 2], time: f32[N, 3, 4]"; }

/// As in evaluation: models without train blocks.
std::vector<Subject> evaluated(TrainingJob& job, Dtype precision) {
    std::string text = calls;
    for (size_t i = 0; i < std::size(layers); ++i)
        text += fmt::format("model l{}({}) {{ y = {};  return mean(y / (1 + y^2) + 0.1 * y) }}\n", i, fields_text(),
                            layers[i].formula);
    job = elaborate_text(text, precision);
    std::vector<Subject> subjects;
    for (size_t i = 0; i < std::size(layers); ++i) {
        const TrainingJob::Circuit& model = model_of(job, fmt::format("l{}", i));
        Subject subject{&layers[i], model.model, model.graph, model.graph.outputs[0].node, {}, {}, {}};
        subject.graph.outputs.clear();
        differentiate_subject(subject, job, model.parameters);
        finish_subject(subject, job);
        subjects.push_back(std::move(subject));
    }
    return subjects;
}

std::string zeros(const std::vector<int>& shape, size_t axis = 0) {
    if (axis == shape.size()) return "0.5";
    std::string text = "[", inner = zeros(shape, axis + 1);
    for (int i = 0; i < shape[axis]; ++i) text += (i ? ", " : "") + inner;
    return text + "]";
}

/// In training: train blocks whose rows are replaced by random ones.
std::vector<Subject> trained(TrainingJob& job, Dtype precision) {
    std::string text =
        calls + fmt::format("dataset d {{\n x: f32[4] = {}\n i: int < 4 = [0, 1, 2, 3]\n image: f32[4, 4, 2] = {}\n "
                            "time: f32[3, 4] = {}\n}}\n",
                            zeros({4, 4}), zeros({4, 4, 4, 2}), zeros({4, 3, 4}));
    for (size_t i = 0; i < std::size(layers); ++i)
        text += fmt::format("model l{0}({1}) {{ param one = 1;  y = one * {2};  return mean(y / (1 "
                            "+ y^2) + 0.1 * y) }}\n"
                            "train t{0} {{ data d;  batch {3};  epochs 1;  optimizer sgd()\n loss "
                            "l{0}(x, i, image, time) }}\n",
                            i, fields_text(), layers[i].formula, batch);
    job = elaborate_text(text, precision);
    std::vector<Subject> subjects;
    for (size_t i = 0; i < std::size(layers); ++i) {
        const TrainBlock& block = job.blocks[i];
        Subject subject{&layers[i], block.name, block.forward, block.loss, {}, {}, {}};
        std::vector<Output> states;
        for (const Output& output : block.step.outputs)
            for (const Variable& variable : job.variables)
                if (variable.path == output.name && variable.role == Variable::Role::state)
                    states.push_back({"", block.step[output.node].inputs[0]});
        std::vector<NodeId> roots;
        for (const Output& state : states) roots.push_back(state.node);
        auto nodes = inline_graph(block.step, roots, subject.graph, {});
        subject.graph.outputs.clear();
        for (size_t k = 0; k < nodes.size(); ++k)
            subject.graph.outputs.push_back({fmt::format("{} state {}", block.name, k), nodes[k]});
        differentiate_subject(subject, job, block.parameters);
        finish_subject(subject, job);
        subjects.push_back(std::move(subject));
    }
    return subjects;
}

double loss_at(const Subject& subject) {
    return evaluate(extract(subject.graph, {subject.graph.outputs[0]}), subject.environment)[0].values[0];
}

void differences(Subject& subject, Findings& findings) {
    Drawn drawn(2);
    HeldValues held; // arguments of stop_gradient stay, as in the derivative
    subject.environment.held = &held;
    loss_at(subject);
    for (size_t k = 0; k < subject.gradients; ++k) {
        const Tensor& gradient = subject.exact[k + 1];
        double largest = 1e-3;
        for (double value : gradient.values) largest = std::max(largest, std::fabs(value));
        for (int i = 0; i < 10; ++i) {
            size_t entry = size_t(drawn.below(int(gradient.values.size())));
            double& value = place(subject, subject.wrt[k]).values[entry];
            double keep = value, h = 1e-5;
            double at[4];
            for (int step = 0; step < 4; ++step) {
                value = keep + h * (step < 2 ? step - 2 : step - 1);
                at[step] = loss_at(subject);
            }
            value = keep;
            double difference = (8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * h);
            if (keep == 0 && subject.formula->left) difference = (loss_at(subject) - at[1]) / h;
            double size = std::max(largest, 1e-5 * std::fabs(at[0]));
            if (!(std::fabs(difference - gradient.values[entry]) <= (subject.formula->left ? 1e-3 : 1e-6) * size))
                findings.error(fmt::format("{} in {}: gradient {} entry {} is {}, by differences {}",
                                           subject.formula->formula, subject.program, k, entry, gradient.values[entry],
                                           difference));
        }
    }
    subject.environment.held = nullptr;
}

void compare_subject(const Subject& subject, const Machines& machines, Dtype precision, const Way& way,
                     Findings& findings) {
    bool single = precision == Dtype::f32;
    Finding& finding = findings.of[subject.formula->entry];
    for (size_t output = 0; output < subject.exact.size(); ++output) {
        const std::vector<double>& wanted = subject.exact[output].values;
        auto found = machines.read(subject.graph.outputs[output].name, batch);
        double largest = wanted.size() == 1 ? 0.1 : 0; // one number is a mean that may cancel
        double worst = found.size() == wanted.size() ? 0 : INFINITY;
        for (double value : wanted) largest = std::max(largest, std::fabs(value));
        for (size_t i = 0; i < std::min(found.size(), wanted.size()); ++i)
            worst = std::max(worst, compiled_error(found[i], wanted[i], largest, single));
        double& most = output == 0 || output > subject.gradients ? finding.value_error : finding.gradient_error;
        if (single) most = std::max(most, worst);
        if (!(worst <= (single ? subject.formula->bound : 1e-11)))
            findings.error(fmt::format("{}: {} of compiled {} on {} is off by {:.2g}", subject.formula->formula,
                                       subject.graph.outputs[output].name, name(precision), way.name, worst));
    }
}

/// `dropout` of ones at `rate` over many rows, one forward pass in training.
std::vector<double> dropped(double rate) {
    constexpr int64_t many = 4000;
    TrainingJob job =
        elaborate_text(fmt::format("model l() {{ param one = 1;  return one }}\ntrain {{ batch {};  steps 1\n y = "
                                   "dropout(1 + 0 * normal(shape: [N]), {})\n loss l() * mean(y);  optimizer sgd() "
                                   "}}\n",
                                   many, rate),
                       Dtype::f64);
    const TrainBlock& block = job.blocks[0];
    Environment environment = sample(job, block.flags, block.forward, {many, 1});
    std::vector<double> kept;
    environment.observe = [&](NodeId, const Tensor& value) {
        if (value.shape == Shape{many}) kept = value.values; // the last one is y
    };
    evaluate(extract(block.forward, {block.forward.outputs[0]}), environment);
    return kept;
}

/// What is dropped comes as often as stated, the rest is scaled; a rate that is none gives NaN.
void prove_dropout(Findings& findings) {
    for (double rate : {0.2, 0.5}) {
        double zeros = 0, n = 0;
        for (double value : dropped(rate)) {
            ++n;
            zeros += value == 0;
            if (value != 0 && std::fabs(value * (1 - rate) - 1) > 1e-12)
                findings.error(fmt::format("dropout({}) leaves {}", rate, value));
        }
        if (n == 0 || std::fabs(zeros / n - rate) > 5 * std::sqrt(rate * (1 - rate) / n))
            findings.error(fmt::format("dropout({}) drops {} of {}", rate, zeros, n));
    }
    for (double rate : {1.0, 1.5, -0.1})
        for (double value : dropped(rate))
            if (!std::isnan(value)) {
                findings.error(fmt::format("dropout({}) gives {}, not NaN", rate, value));
                break;
            }
}

} // namespace

void prove_layers(Findings& findings) {
    prove_dropout(findings);
    for (Dtype precision : {Dtype::f32, Dtype::f64})
        for (bool training : {false, true}) {
            TrainingJob job = elaborate_text("model m() { return 1 }", precision);
            auto subjects = training ? trained(job, precision) : evaluated(job, precision);
            std::vector<NamedGraph> programs;
            for (const Subject& subject : subjects) programs.push_back({subject.program, subject.graph});
            Machines machines(job, programs, batch, precision);
            for (Subject& subject : subjects) {
                Finding& finding = findings.of[subject.formula->entry];
                ++finding.cases;
                finding.differentiated = finding.differentiated || subject.gradients > 0;
                if (precision == Dtype::f32) differences(subject, findings);
                for (const Way& way : machines.ways()) {
                    machines.write(subject.environment);
                    machines.run(subject.program, batch, way);
                    compare_subject(subject, machines, precision, way, findings);
                }
            }
        }
}

} // namespace gradc::library
