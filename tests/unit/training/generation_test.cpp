// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `generate` gives the logits of the full forward pass, character by character, with cached keys and values and with the
// state of a cell.
#include "compiler/training/job.h"
#include "tests/unit/training/simulation.h"
#include <filesystem>
#include <fstream>

using namespace gradc;

namespace {

constexpr int context = 6;
const std::string text = "to be or nots";

/// The data set of all windows of `text`; logits [N, 6, V] of `net` are the prediction.
std::string program(const std::string& models, const std::string& line) {
    return R"(const T = 6
dataset plays { window: int[T] < V = windows(characters("plays.txt"), length: T) }
const V = 8
)" + models +
           R"(
train {
    data plays;  batch 2;  epochs 1
    loss cross_entropy(net(window)[:, :-1], window[:, 1:])
    optimizer adam(learning_rate: 1e-3)
    predict net(window)
    generate )" +
           line + "\n}\n";
}

/// Two blocks of attention whose keys and values may be given, so that one call computes all positions or one.
const std::string attention = R"(
fn inserted(x: [N, S, C], cache: [N, T, C], at) {
    if S == T { all = x } else { all[n, u < T, c] = where(u == at, x[n, 0, c], cache[n, u, c]) }
    return all
}
fn block(x: [N, S, C], keys: [N, T, C], values: [N, T, C], at) {
    q, k, v = split(linear(x, 3 * C), 3)
    k = inserted(k, keys, at);  v = inserted(v, values, at)
    score[n, s < S, u < T] = where(u <= s + at, sum[c](q[n, s, c] * k[n, u, c]), -1e9)
    return x + linear(softmax(score) @ v, C), k, v
}
model gpt(token: int[N, S] < V, keys: [N, 2, T, 4], values: [N, 2, T, 4], at: int) {
    param place: [T, 4] = normal()
    x = embedding(token, 4)
    y[n, s, c] = x[n, s, c] + place[min(s + at, T - 1), c]
    x, k1, v1 = block(y, keys[:, 0], values[:, 0], at)
    x, k2, v2 = block(x, keys[:, 1], values[:, 1], at)
    return linear(x, V), stack(k1, k2, axis: 1), stack(v1, v2, axis: 1)
}
fn net(token) {
    logits, keys, values = gpt(token, zeros([N, 2, T, 4]), zeros([N, 2, T, 4]), 0)
    return logits
}
)";
const std::string attention_line = R"(scan t < T with keys = zeros([N, 2, T, 4]), values = zeros([N, 2, T, 4]) {
        logits, keys, values = gpt(reshape(token, [N, 1]), keys, values, t)
        yield logits[:, 0]
    })";

const std::string cell = R"(
model cell(token: int[N] < V, h: [N, 5]) { return tanh(linear(embedding(token, 4), 5) + linear(h, 5, bias: false)) }
model head(h: [.., 5]) { return linear(h, V) }
fn net(token) {
    hs = scan t < T with h = zeros([N, 5]) { h = cell(token[:, t], h);  yield h }
    return head(hs)
}
)";
const std::string cell_line = R"(scan t < T with h = zeros([N, 5]) { h = cell(token, h);  yield head(h) })";

/// A folder with plays.txt, removed at the end.
struct Folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / "gradc_generation_test";
    Folder() {
        std::filesystem::create_directories(path);
        std::ofstream(path / "plays.txt") << text;
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

} // namespace

/// The largest difference between the logits of `generate` and those of the full forward pass of the first window.
double difference(const std::string& source, int64_t expected_context) {
    Folder folder;
    Options options = Simulation::double_precision();
    options.data_folders = {folder.path.string()};
    Simulation trainer(source, options);
    const TrainBlock& block = trainer.program->blocks[0];
    CHECK(block.context == expected_context);
    REQUIRE(block.generate);
    trainer.columns["window"] = std::vector<double>(size_t(context), 0);
    Environment window = trainer.rows(0, 1);
    Tensor codes{{1, context}, {0, 3, 1, 0, 7, 2}};
    window.fields["window"] = codes;
    Tensor full = evaluate(*block.predict, window)[0];
    Environment one = trainer.rows(0, 1);
    double worst = 0;
    for (int round = 0; round < 2; ++round) // round 2 starts at position 0: it must not read values of round 1
        for (int at = 0; at < context; ++at) {
            one.scalars["token"] = codes.values[size_t(at)];
            one.scalars["position"] = at;
            one.scalars["start"] = at == 0;
            auto results = evaluate(*block.generate, one);
            REQUIRE(results[0].shape == Shape{1, 8});
            for (size_t i = 0; i < 8; ++i)
                worst = std::max(worst, std::abs(results[0].values[i] - full.values[size_t(at) * 8 + i]));
            for (size_t i = 1; i < results.size(); ++i) one.variables[block.generate->outputs[i].name] = results[i];
        }
    return worst;
}

TEST_CASE("generation with cached keys and values equals the full forward pass") {
    CHECK(difference(program(attention, attention_line), context) < 1e-12);
}

TEST_CASE("generation with the state of a cell equals the full forward pass, without an end") {
    CHECK(difference(program(cell, cell_line), 0) < 1e-12);
}
