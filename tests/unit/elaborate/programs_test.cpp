// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs that the language must support, each elaborated, evaluated and differentiated.
#include "tests/support/model_text.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

struct Program {
    const char* name;
    const char* text; // a model `m`
};

const Program all[] = {
    {"mlp", "model m(x: f32[N, 6]) -> f32[N, 3] { h = relu(linear(x, 8));  return linear(h, 3) }"},
    {"mlp with batch_norm and dropout",
     "model m(x: f32[N, 6]) -> f32[N, 3] { h = dropout(relu(batch_norm(linear(x, 8))), 0.2);  "
     "return linear(h, 3) }"},
    {"conv2d and max_pool", "model m(x: f32[N, 8, 8, 2]) { h = max_pool2d(relu(conv2d(x, 3, padding: "
                            "1)), 2);  return conv2d(h, 4, kernel_size: 2, stride: 2) }"},
    {"conv_transpose", "model m(x: f32[N, 3, 3, 2]) { return conv_transpose2d(x, 2) }"},
    {"depthwise", "model m(x: f32[N, 5, 5, 3]) { return depthwise_conv2d(x, 3) }"},
    {"channels_last", "fn channels_last(x: [N, C, H, W]) { y[n, h, w, c] = x[n, c, h, w];  return y }\n"
                      "model m(x: f32[N, 2, 3, 4]) { return channels_last(x) }"},
    {"lstm", "model m(x: f32[N, 4, 3]) { return lstm(x, 2) }"},
    {"gru both ways", "model m(x: f32[N, 4, 3]) { return linear(concat(gru(x, 2), "
                      "flip(gru(flip(x), 2))), 2) }"},
    {"tagger", "model m(tokens: int[N, 5] < 7) -> f32[N, 5, 3] {\n"
               "    x = embedding(tokens, 4)\n"
               "    return linear(concat(lstm(x, 3), flip(lstm(flip(x), 3))), 3)\n}"},
    {"attention", "model m(x: f32[N, 4, 6]) { return attention(x, 2) }"},
    {"causal attention", "model m(x: f32[N, 4, 6]) { return attention(x, 2, causal: true) }"},
    {"rotary", "model m(x: f32[N, 3, 2, 4]) { return rotary_embedding(x) }"},
    {"gpt", "const T = 4, C = 8, layers = 2, V = 5\n"
            "model m(tokens: int[N, T] < V) -> f32[N, T, V] {\n"
            "    param wte: [V, C] = normal(0.02);  param wpe: [T, C] = normal(0.02);  x = "
            "wte[tokens] + wpe\n"
            "    repeat layers { x = x + attention(layer_norm(x), heads: 4, causal: true);  x = x "
            "+ feed_forward(layer_norm(x)) }\n"
            "    return layer_norm(x) @ wte'\n}"},
    {"a cell that reads", "const V = 5, H = 4\n"
                          "model cell(token: int[N] < V, h: f32[N, H], c: f32[N, H]) {\n"
                          "    i, f, g, o = split(linear(embedding(token, 3), 4*H) + linear(h, 4*H, bias: false), 4)\n"
                          "    c = sigmoid(f) * c + sigmoid(i) * tanh(g);  h = sigmoid(o) * tanh(c);  return linear(h, "
                          "V), h, c\n}\n"
                          "fn read(x: int[N, T] < V) = scan t < T with h = zeros([N, H]), c = h { y, h, c = cell(x[:, "
                          "t], h, c);  yield y }\n"
                          "model m(x: int[N, 3] < V) { return read(x) }"},
    {"physics-informed", "model u(x: f32[N, 1], t: f32[N, 1]) -> f32[N, 1] {\n"
                         "    h = concat(x, t);  repeat 4 { h = tanh(linear(h, 5)) };  return linear(h, 1)\n}\n"
                         "model m(x: f32[N, 1], t: f32[N, 1]) {\n"
                         "    y = u(x, t);  y_x = grad(y, wrt: x)\n"
                         "    inside = grad(y, wrt: t) + y * y_x - 0.01 / pi * grad(y_x, wrt: x)\n"
                         "    return mean(inside^2) + mean((u(x, 0 * t) + sin(pi * x))^2) + mean(u(-1 + 0 * x, "
                         "t)^2)\n}"},
    {"gradient penalty", "model critic(x: f32[N, 4]) { return linear(tanh(linear(x, 5)), 1)[:, 0] }\n"
                         "model m(x: f32[N, 4], fake: f32[N, 4]) {\n"
                         "    a = uniform(shape: [N, 1]);  mix = a * x + (1 - a) * fake\n"
                         "    slope = sqrt(sum(grad(critic(mix), wrt: mix)^2, axis: -1) + 1e-12)\n"
                         "    return mean(critic(fake)) - mean(critic(x)) + 10 * mean((slope - 1)^2)\n}"},
    {"vae", "model encoder(x: f32[N, 6]) { h = relu(linear(x, 5));  return linear(h, 2), linear(h, 2) }\n"
            "model decoder(z: f32[N, 2]) -> f32[N, 6] { return linear(relu(linear(z, 5)), 6) }\n"
            "model m(image: f32[N, 2, 3]) {\n"
            "    x = reshape(image, [N, 6]);  mu, lv = encoder(x)\n"
            "    z = mu + exp(lv / 2) * normal(shape: shape(mu))\n"
            "    logits = decoder(z);  wrong = mean(sum(softplus(logits) - x * logits, axis: -1))\n"
            "    return wrong - 0.5 * mean(sum(1 + lv - mu^2 - exp(lv), axis: -1))\n}"},
    {"siamese", "model embed(x: f32[N, 4]) { return linear(x, 3) }\n"
                "model m(left: f32[N, 4], right: f32[N, 4], same: int[N] < 2) {\n"
                "    a = embed(left);  b = embed(right);  d = sqrt(sum((a - b)^2, axis: -1) + 1e-12)\n"
                "    return mean(where(same == 1, d^2, max(0, 1 - d)^2))\n}"},
    {"in-batch negatives", "model m(x: f32[N, 4], y: f32[N, 4]) {\n"
                           "    a = linear(x, 3);  b = linear(y, 3);  s[n, k] = sum[c](a[n, c] * b[k, c])\n"
                           "    i[n < N, k < N] = where(n == k, 1, 0);  return mean(sum(log_softmax(s) * i, axis: "
                           "-1))\n}"},
    {"losses on labels",
     "model m(x: f32[N, 4], label: int[N] < 4, sign: f32[N]) {\n"
     "    p = softmax(linear(x, 4))\n"
     "    return cross_entropy(x, label) + multiclass_hinge(x, label, 0.3) + soft_cross_entropy(x, p) + "
     "perceptron_loss(x[:, 0], sign) +\n"
     "        mse(x, p) + huber(x, p, 0.2) + binary_cross_entropy_with_logits(x[:, 1], 0.3)\n}"},
    {"maxout", "model m(x: f32[N, 4]) { return maxout(x, 3, 2) }"},
    {"a jacobian by rows", "model net(x: f32[N, 3]) { return tanh(linear(x, 3)) }\n"
                           "model m(x: f32[N, 3]) { s = 0;  y = net(x);  repeat i < 3 { s = s + (1 "
                           "+ i) * grad(y[:, i], wrt: x) };  return s }"},
    {"a plain scan", "model m(x: f32[N, 5]) = scan t < 5 with s = 0 { s = s + x[:, t];  yield s^2 }"},
    {"straight through", "fn q(x) = x + stop_gradient(0 * x)\nmodel m(x: f32[N, 3]) { return q(x)^2 }"},
};

} // namespace

TEST_CASE("the programs of the language elaborate, evaluate and differentiate") {
    for (const Program& program : all) {
        ModelText text(program.text);
        INFO(program.name << "\n" << text.errors());
        CHECK(text.job);
        if (!text.job) continue;
        double error = gradient_error(text, "m");
        INFO(error);
        CHECK(error >= 0);
        CHECK(error < 1e-6);
    }
}

TEST_CASE("functions of a user's file replace those of the library") {
    FileReader reader;
    std::string reason;
    ModelText text(reader.read(GRADC_SOURCE_DIR "/tests/unit/elaborate/page.grad", reason).value());
    INFO(text.errors());
    REQUIRE(text.job);
    CHECK(text.job->models.size() == 14);
    for (const char* model : {"a", "b", "c", "g", "i", "j", "k", "l", "m"}) {
        INFO(model);
        double error = gradient_error(text, model);
        CHECK(error >= 0);
        CHECK(error < 1e-6);
    }
}

TEST_CASE("indices, loops, functions and gradients inside each other") {
    FileReader reader;
    std::string reason;
    ModelText text(reader.read(GRADC_SOURCE_DIR "/tests/unit/elaborate/combined.grad", reason).value());
    INFO(text.errors());
    REQUIRE(text.job);
    CHECK(text.job->models.size() == 19);
    for (const auto& model : text.job->models) {
        INFO(model.model);
        double error = gradient_error(text, model.model);
        CHECK(error >= 0);
        CHECK(error < 1e-6);
    }
}
