// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Damaged programs through the elaborator: each gives valid graphs or diagnostics, never an internal error. Seeds are
// fixed.
#include "compiler/graph/pattern.h"
#include "compiler/graph/print.h"
#include "tests/fuzz/elaborator_property.h"
#include "tests/fuzz/grammar.h"
#include "tests/support/model_text.h"
#include <catch2/catch.hpp>
#include <filesystem>

using namespace gradc;

namespace {

const char* const models[] = {
    "const V = 5, H = 4\n"
    "model cell(token: int[N] < V, h: f32[N, H], c: f32[N, H]) {\n"
    "    i, f, g, o = split(linear(embedding(token, 3), 4*H) + linear(h, 4*H, bias: false), 4)\n"
    "    c = sigmoid(f) * c + sigmoid(i) * tanh(g);  h = sigmoid(o) * tanh(c);  return linear(h, "
    "V), h, c\n}\n"
    "fn read(x: int[N, T] < V) = scan t < T with h = zeros([N, H]), c = h { y, h, c = cell(x[:, "
    "t], h, c);  yield y }\n"
    "model m(x: int[N, 3] < V) { return read(x) }\n",
    "model m(x: f32[N, 8, 8, 2], k: int[N] < 6) {\n"
    "    p = pad(x, [0, 1, 1, 0]);  param w: [3, 3, 2, 4] = glorot_uniform();  state s: [4] = 0\n"
    "    y[n, h, v, o] = sum[i, j, c](p[n, h + i, v + j, c] * w[i, j, c, o])\n"
    "    z[n, h, v, o] = max[i < 2, j < 2](y[n, 2*h + i, 2*v + j, o])\n"
    "    a[c] = mean[n, ..](z[n, .., c]);  s <- 0.9 * s + 0.1 * a\n"
    "    if mean(z) > 0 { z = z - a } else { z = -z }\n"
    "    b[..] = z[.., 0] + where(z[.., 1] > 0, z[.., 2], 3)\n"
    "    r[n] = z[n, k[n] % 4, 0, 1];  return concat(reshape(b, [N, 16]), reshape(r, [N, 1]))\n}\n",
    "fn soft(x) = max(x, 0) + log(1 + exp(-abs(x)))  derivative x: g * sigmoid(x)\n"
    "rule fast soft(x) - x -> soft(-x)\n"
    "model critic(x: f32[N, 4]) { repeat i < 2 { x = dropout(tanh(linear(x, 5 + i)), 0.1) };  "
    "return linear(x, 1)[:, 0] }\n"
    "train {\n"
    "    batch 8;  steps 10\n"
    "    x = normal(shape: [N, 4]);  a = uniform(shape: [N, 1]);  mix = a * x + (1 - a) * -x\n"
    "    slope = sqrt(sum(grad(soft(critic(mix)), wrt: mix)^2, axis: -1) + 1e-12)\n"
    "    loss mean(critic(x)) + 10 * mean((slope - 1)^2)\n"
    "    optimizer clip_by_global_norm(adam(learning_rate: cosine(step / steps, peak: 1e-3)), max_norm: 1) on critic\n"
    "    predict critic(x)\n}\n",
    "dataset d {\n"
    "    x: f32[2] = [[0, 0], [0, 1], [1, 0], [1, 1]];  y: int < 2 = [0, 1, 1, 0]\n"
    "    z = (x - mean(train.x, axis: 0)) / 2;  split train: 0.5, test: 0.5\n}\n"
    "optimizer mine(rate, mu = 0.9) { state v = 0;  if t % 2 == 0 { v <- mu * v - rate * g };  w "
    "<- w + v }\n"
    "model net(x: f32[N, 2]) -> f32[N, 2] { h = batch_norm(linear(x, 8));  return linear(relu(h), "
    "2) }\n"
    "train { data d;  batch 4;  epochs 2;  loss cross_entropy(net(z), y);  optimizer mine(rate: "
    "0.1)\n"
    "        metric accuracy(net(z), y) }\n"};

} // namespace

TEST_CASE("damaged programs elaborate or give errors") {
    std::vector<std::string> texts;
    for (const char* model : models) {
        ModelText integer(model);
        INFO(model << integer.errors());
        CHECK(integer.job);
        texts.push_back(model);
    }
    auto library = load_library();
    for (uint64_t seed = 1; seed <= 600; ++seed) {
        std::string text = mutated_program(texts[seed % texts.size()], seed);
        INFO(text);
        CHECK(broken_elaborator_property(text, library) == "");
    }
}

TEST_CASE("random programs elaborate or give errors") {
    int valid = 0;
    auto library = load_library();
    for (uint64_t seed = 1; seed <= 200; ++seed) {
        std::string text = drawn_program(seed);
        INFO(text);
        CHECK(broken_elaborator_property(text, library) == "");
        valid += ModelText(text).job.has_value();
    }
    CHECK(valid > 40); // also graphs were verified
}

TEST_CASE("the fuzzer's corpus elaborates or gives errors") {
    size_t count = 0;
    auto library = load_library();
    std::filesystem::path folder = std::filesystem::path(GRADC_SOURCE_DIR) / "tests/fuzz/corpus/elaborator";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::string reason;
        auto text = FileReader{}.read(entry.path().string(), reason);
        INFO(entry.path() << reason);
        REQUIRE(text.has_value());
        CHECK(broken_elaborator_property(*text, library) == "");
        ++count;
    }
    CHECK(count > 100);
}

TEST_CASE("a shared library changes nothing") {
    Options shared;
    shared.library = load_library();
    for (const char* model : models) {
        INFO(model);
        ModelText alone(model), first(model, shared), second(model, shared);
        for (const ModelText* each : {&first, &second}) {
            REQUIRE(alone.job);
            REQUIRE(each->job);
            const TrainingJob &a = *alone.job, &b = *each->job;
            CHECK(print(a.initial) == print(b.initial));
            REQUIRE(a.blocks.size() == b.blocks.size());
            for (size_t i = 0; i < a.blocks.size(); ++i) CHECK(print(a.blocks[i].step) == print(b.blocks[i].step));
            REQUIRE(a.pattern_rules->size() == b.pattern_rules->size());
            for (size_t i = 0; i < a.pattern_rules->size(); ++i)
                CHECK((*a.pattern_rules)[i].text == (*b.pattern_rules)[i].text);
        }
    }
    std::string wrong = "rule fast exp(x) -> nothing\nmodel m(x: f32[N]) { return x + missing }\n";
    CHECK(ModelText(wrong).errors() == ModelText(wrong, shared).errors());
    CHECK(ModelText(wrong).errors() != "");
}
