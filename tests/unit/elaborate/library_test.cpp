// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every function of the library on one tensor, differentiated and compared with differences, at random and at large
// numbers; and its value where naive formulas overflow.
#include "compiler/elaborate/definitions.h"
#include "tests/support/model_text.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <fmt/format.h>

using namespace gradc;

namespace {

/// Calls of functions that do not take one tensor of any numbers; "" if another test covers the function.
const std::map<std::string, std::string> calls = {
    {"add", "add(x, y)"},
    {"subtract", "subtract(x, y)"},
    {"multiply", "multiply(x, y)"},
    {"divide", "divide(x, y + 3)"},
    {"maximum", "maximum(x, y)"},
    {"minimum", "minimum(x, y)"},
    {"sqrt", "sqrt(x + 3)"},
    {"log", "log(x + 3)"},
    {"select", "select(x > 0, x, y)"},
    {"floor", ""},
    {"round", ""},
    {"sign", ""},
    {"remainder", "remainder(x, 0.37)"},
    {"fused_multiply_add", ""},
    {"pow", "pow(x + 3, y)"},
    {"mse", "mse(x, y)"},
    {"mae", "mae(x, y)"},
    {"sum_of_absolutes", "sum_of_absolutes(x, y)"},
    {"log1p", "log1p(x + 3)"},
    {"heaviside", ""},
    {"log1p_exp", "log1p_exp(x - 3)"},
    {"categorical_cross_entropy", "categorical_cross_entropy(softmax(x), i)"},
    {"binary_cross_entropy", "binary_cross_entropy(sigmoid(x), sigmoid(y))"},
    {"logistic_loss", "logistic_loss(x, y)"},
    {"hinge", "hinge(x, y)"},
    {"r2", "r2(x, y)"},
    {"nll_loss", "nll_loss(x, i)"},
    {"perplexity", "perplexity(x, i)"},
    {"top_k_accuracy", ""},
    {"precision", ""},
    {"recall", ""},
    {"class_precision", ""},
    {"class_recall", ""},
    {"class_f1", ""},
    {"lecun_uniform", ""},
    {"lecun_normal", ""},
    {"orthogonal", ""},
    {"huber", "huber(x, y, 0.3)"},
    {"sum_of_squares", "sum_of_squares(x, y)"},
    {"cross_entropy", "cross_entropy(x, i)"},
    {"soft_cross_entropy", "soft_cross_entropy(x, softmax(y))"},
    {"binary_cross_entropy_with_logits", "binary_cross_entropy_with_logits(x, y)"},
    {"focal_loss", "focal_loss(x, i)"},
    {"sigmoid_focal_loss", "sigmoid_focal_loss(x, y)"},
    {"kl_divergence", "kl_divergence(x, softmax(y))"},
    {"triplet_margin_loss", "triplet_margin_loss(x, y, -y)"},
    {"contrastive_loss", "contrastive_loss(x, y, i % 2, 3)"},
    {"info_nce", "info_nce(x, y)"},
    {"ctc_loss", ""},
    {"load_balancing_loss", "load_balancing_loss(x, k: 2)"},
    {"multiclass_hinge", "multiclass_hinge(x, i, 0.3)"},
    {"perceptron_loss", "perceptron_loss(x, y)"},
    {"argmax", ""},
    {"accuracy", ""},
    {"one_hot", ""},
    {"confusion_matrix", ""},
    {"f1", ""},
    {"zeros", ""},
    {"ones", ""},
    {"uniform", ""},
    {"normal", ""},
    {"fan_in", ""},
    {"fan_out", ""},
    {"glorot_uniform", ""},
    {"glorot_normal", ""},
    {"he_uniform", ""},
    {"he_normal", ""},
    {"categorical", ""},
    {"linear", "linear(x, 3)"},
    {"maxout", "maxout(x, 2, 3)"},
    {"embedding", "embedding(i, 3)"},
    {"conv1d", "conv1d(time, 2, stride: 2, padding: 1)"},
    {"conv2d", "conv2d(image, 2, kernel_size: 2)"},
    {"conv3d", "conv3d(reshape(image, [N, 2, 2, 4, 2]), 2, padding: 1)"},
    {"conv_transpose1d", "conv_transpose1d(time, 2, padding: 1)"},
    {"conv_transpose2d", "conv_transpose2d(image, 2, kernel_size: 3)"},
    {"depthwise_conv2d", "depthwise_conv2d(image, 2)"},
    {"max_pool2d", "max_pool2d(image, 2)"},
    {"avg_pool2d", "avg_pool2d(image, 2)"},
    {"max_pool1d", "max_pool1d(time, 2)"},
    {"avg_pool1d", "avg_pool1d(time, 2)"},
    {"global_avg_pool2d", "global_avg_pool2d(image)"},
    {"global_max_pool2d", "global_max_pool2d(image)"},
    {"adaptive_avg_pool2d", "adaptive_avg_pool2d(image, 3)"},
    {"upsample2d", "upsample2d(image, mode: \"bilinear\")"},
    {"channels_last", "channels_last(image)"},
    {"residual_block", "residual_block(image, 3)"},
    {"squeeze_excitation", "squeeze_excitation(image, 2)"},
    {"group_norm", "group_norm(image, 2)"},
    {"instance_norm", "instance_norm(image, affine: true)"},
    {"weight_norm", ""},
    {"spectral_norm", ""},
    {"mixture_of_experts", "mixture_of_experts(x, 3, hidden: 5)"},
    {"argsort", ""},
    {"top_k", ""},
    {"random_shift", "random_shift(image)"},
    {"random_flip", "random_flip(image)"},
    {"random_crop", "random_crop(image, 3)"},
    {"random_erase", "random_erase(image)"},
    {"sequence_mask", "time * reshape(sequence_mask(i, 3), [N, 3, 1])"},
    {"rnn_cell", "rnn_cell(x, y)"},
    {"lstm_cell", ""},
    {"gru_cell", "gru_cell(x, y)"},
    {"rnn", "rnn(time, 2)"},
    {"lstm", "lstm(time, 2, bidirectional: true, mask: sequence_mask(i, 3))"},
    {"gru", "gru(time, 2, layers: 2)"},
    {"minimal_gated_unit", "minimal_gated_unit(time, 2)"},
    {"selective_scan",
     "selective_scan(time, softplus(time), -exp(image[0, 0]), image[:, 0, :3], image[:, 1, :3], x[0])"},
    {"mamba_block", ""},
    {"flip", "flip(time)"},
    {"attention", "attention(time, 2, causal: true)"},
    {"masked_softmax", "masked_softmax(x, y > 0)"},
    {"scaled_dot_product_attention", "scaled_dot_product_attention(image, image, image, causal: true)"},
    {"multi_head_attention", "multi_head_attention(time, image[:, :, 0], image[:, :, 1], 2)"},
    {"position_embedding", "position_embedding(time)"},
    {"sinusoidal_position_encoding", "sinusoidal_position_encoding(time)"},
    {"transformer_encoder_block", "transformer_encoder_block(time, 2, 3)"},
    {"transformer_decoder_block", "transformer_decoder_block(time, image[:, :, 0], 2, 3)"},
    {"rotary_embedding", "rotary_embedding(image)"}};

} // namespace

TEST_CASE("every function of the library has the derivative of its value") {
    ModelText any("model m() { return 1 }");
    REQUIRE(any.job);
    Sources sources;
    MemoryReader reader;
    Diagnostics diagnostics;
    Definitions definitions(sources, reader, {}, diagnostics);
    definitions.load(sources.add({"main.grad", "model m() { return 1 }"}));
    int checked = 0;
    for (const Module& module : definitions.modules) {
        std::string file = sources.all[module.tree.source].name;
        if (!module.standard || file.starts_with("std/optimizers") || file == "std/schedules.grad") continue;
        for (const auto& [name, entry] : module.functions) {
            auto call = calls.find(name);
            std::string formula = call == calls.end() ? name + "(x)" : call->second;
            if (formula.empty() || entry.hidden()) continue;
            ModelText text(fmt::format("model m(x: f32[N, 4], y: f32[N, 4], i: int[N] < 4, image: f32[N, 4, 4, 2], "
                                       "time: f32[N, 3, 4]) {{ return {} }}",
                                       formula));
            INFO(formula << "\n" << text.errors());
            CHECK(text.job);
            if (!text.job) continue;
            double error = gradient_error(text, "m", 3, 7);
            CHECK(error >= 0);
            CHECK(error < 1e-6);
            ++checked;
        }
    }
    CHECK(checked > 40);
}

TEST_CASE("the library's formulas do not overflow where naive ones do") {
    struct Edge {
        const char* formula;
        double x, value, derivative;
    };
    const Edge edges[] = {
        {"sigmoid(x)", -100, 3.720075976020836e-44, 3.720075976020836e-44},
        {"sigmoid(x)", 1000, 1, 0},
        {"softplus(x)", 1000, 1000, 1},
        {"softplus(x)", -1000, 0, 0},
        {"tanh(x)", 1000, 1, 0},
        {"relu(x)", 0, 0, 0},
        {"abs(x)", 0, 0, 0},
        {"elu(x)", -1000, -1, 0},
        {"gelu(x)", -100, 0, 0},
        {"silu(x)", -1000, 0, 0},
        {"max(x, 0)", 0, 0, 0},
        {"pow(x, 2)", 0, 0, 0},
        {"x^3", 0, 0, 0},
        {"where(x > 0, log(x), 0)", 0, 0, 0},
        {"where(x > 0, sqrt(x), 3 * x)", 0, 0, 3},
        {"sum(softmax([1, 0] * x) * [1, 0])", 1000, 1, 0},
        {"sum(log_softmax([1, 0] * x) * [0, 1])", 1000, -1000, -1},
        {"logsumexp([1, 1] * x)", 1000, 1000.6931471805599, 1},
        {"cross_entropy([1, 0] * x, 1)", 1000, 1000, 1},
        {"binary_cross_entropy_with_logits(x, 1)", -1000, 1000, -1},
    };
    for (const Edge& edge : edges) {
        ModelText text(fmt::format("model m() {{ param x = {};  return {} }}\n", edge.x, edge.formula));
        INFO(edge.formula << " at " << edge.x << "\n" << text.errors());
        CHECK(text.job);
        if (!text.job) continue;
        Graph graph = text.model("m").graph;
        auto g = gradient(graph, graph.outputs[0].node, text.model("m").parameters, *text.job->rules);
        REQUIRE(g[0] != NodeId::none);
        graph.outputs.push_back({"g", g[0]});
        auto values = evaluate(graph, draw(text, graph, 1, 0));
        CHECK(values[0].values[0] == Approx(edge.value).epsilon(1e-9));
        CHECK(values[1].values[0] == Approx(edge.derivative).epsilon(1e-9));
    }
}

TEST_CASE("max, min and relu of NaN are NaN") {
    for (const char* formula : {"relu(x)", "max(x, 0)", "min(0, x)", "max(x * [1, 1])", "abs(x)"}) {
        ModelText text(fmt::format("model m() {{ param x = nan;  return {} }}", formula));
        INFO(formula << text.errors());
        REQUIRE(text.job);
        CHECK(std::isnan(value_of(text, "m", draw(text, text.model("m").graph, 1, 0)).values[0]));
    }
}
