// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --memory: the peak that is printed is within the budget and is what the trainer allocates, and the weights after some
// steps have the bits of a trainer without a budget. Networks with dropout draw the same numbers again.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <map>
#include <sstream>

using namespace end_to_end;

namespace {

const char* const transformer = R"(const T = 32
const width = 32
dataset text { tokens: int[T + 1] < 1100 = windows(range(1100), length: T + 1, stride: T) }
fn block(x: [N, T, C]) {
    x = x + attention(layer_norm(x), heads: 2, causal: true)
    return x + dropout(feed_forward(layer_norm(x)), p: 0.1)
}
model gpt(tokens: int[N, T] < 1100) -> f32[N, T, 17] {
    x = embedding(tokens, width)
    repeat 4 { x = block(x) }
    return linear(layer_norm(x), 17)
}
train {
    data text
    batch 8
    epochs 2
    loss cross_entropy(gpt(tokens[:, 0:T]), tokens[:, 1:] % 17)
    optimizer adamw(learning_rate: 1e-3)
}
)";

const char* const residual_net = R"(dataset points {
    row: int < 512 = range(512)
    x: f32[64] = normal(shape: [64])
    y = x[0] - x[1]
}
model net(x: f32[N, 64]) -> f32[N, 1] {
    repeat 12 { x = x + relu(layer_norm(linear(x, 64))) }
    return linear(x, 1)
}
train {
    data points
    batch 256
    epochs 2
    loss mse(net(x)[:, 0], y)
    optimizer adam(learning_rate: 1e-3)
}
)";

/// activations and scratch, and all the rest: bytes of a plan's text.
std::pair<int64_t, int64_t> parts(const std::string& plan) {
    std::istringstream words(plan);
    std::map<std::string, int64_t> part;
    std::string word, before;
    int64_t all = 0;
    while (words >> word && word != "program") {
        if (word.rfind("bytes", 0) == 0 && all == 0) all = std::stoll(before);
        if (before == "activations" || before == "scratch") part[before] = std::stoll(word);
        before = word;
    }
    int64_t own = part["activations"] + part["scratch"];
    return {own, all - own};
}

struct Trained {
    std::string told, weights, losses;
    int64_t arena = 0;
};

Trained train(const Scratch& scratch, const std::string& options) {
    Outcome built = call(scratch, "build m.grad --isa baseline -o trainer " + options);
    INFO(built.err);
    REQUIRE(built.code == 0);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    REQUIRE(run("./trainer train --quiet --json told.json", launch).code == 0);
    std::string json = scratch.read("told.json");
    size_t epochs = json.find("\"epochs\"");
    return {built.out, json_value(json, "weights_hash"), json.substr(epochs == json.npos ? 0 : epochs),
            std::stoll(json_value(json, "arena_bytes"))};
}

std::string mebibytes(int64_t bytes) { return std::to_string(double(bytes) / (1 << 20)); }

void check_budgets(const std::string& model, const std::vector<double>& shares) {
    Scratch scratch;
    scratch.write("m.grad", model);
    auto [own, others] = parts(call(scratch, "inspect m.grad --emit=plan").out);
    REQUIRE(own > 0);
    Trained whole = train(scratch, "--no-cache");
    CHECK(whole.arena == own + others);
    for (double share : shares) {
        INFO("share " << share);
        int64_t most = others + int64_t(share * double(own));
        Trained some = train(scratch, "--memory " + mebibytes(most));
        CHECK(some.arena <= most);
        CHECK(contains(some.told, "(" + std::to_string(some.arena) + " bytes)"));
        CHECK(contains(some.told, "step computes "));
        CHECK(some.weights == whole.weights);
        CHECK(some.losses == whole.losses);
    }
}

} // namespace

TEST_CASE("a transformer in three quarters, a half and a quarter of its activations has the same bits", "[budget]") {
    check_budgets(transformer, {0.75, 0.5, 0.25});
}

TEST_CASE("a residual net in three quarters, a half and a third of its activations has the same bits", "[budget]") {
    check_budgets(residual_net, {0.75, 0.5, 0.34});
}

TEST_CASE("a budget that cannot be met names the smallest peak that was found", "[budget]") {
    Scratch scratch;
    scratch.write("m.grad", residual_net);
    Outcome built = call(scratch, "build m.grad --memory 0.5 -o trainer");
    CHECK(built.code == 1);
    CHECK(contains(built.err, "--memory 0.50 MiB is too little for m: the smallest peak that was found needs "));
    CHECK(!std::filesystem::exists(scratch.path() / "trainer"));
    std::string needed = built.err.substr(built.err.find("needs ") + 6);
    INFO(needed);
    CHECK(call(scratch, "inspect m.grad --emit=plan --memory " + needed.substr(0, needed.find(' '))).code == 0);
    for (const char* wrong : {"0", "-1", "nan", "much"})
        CHECK(call(scratch, std::string("build m.grad --memory ") + wrong).code == 2);
    CHECK(call(scratch, "run m.grad --memory nan").code == 2);
}

TEST_CASE("the same model and budget give the same plan", "[budget]") {
    Scratch scratch;
    scratch.write("m.grad", residual_net);
    auto [own, others] = parts(call(scratch, "inspect m.grad --emit=plan").out);
    std::string command = "inspect m.grad --emit=plan --memory " + mebibytes(others + own / 2);
    CHECK(call(scratch, command).out == call(scratch, command).out);
}
