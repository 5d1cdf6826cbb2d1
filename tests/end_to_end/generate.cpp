// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `predict --prompt`: the text that a trainer generates is the most likely one of the full forward pass, goes on beyond
// the context, and is the same for the same seed. Weights have the names that the model gives them in files.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;

namespace {

/// Attention over 8 positions. One call computes all of them, or one with the keys and values of those before.
const char* const model = R"(const T = 8, V = 6, C = 8
dataset plays { window: int[T] < V = windows(characters("text.txt"), length: T) }
fn inserted(x: [N, S, C], cache: [N, T, C], at) {
    if S == T { all = x } else { all[n, u < T, c] = where(u == at, x[n, 0, c], cache[n, u, c]) }
    return all
}
fn attend(x: [N, S, C], keys: [N, T, C], values: [N, T, C], at) {
    q, k, v = split(linear(x, 3 * C), 3) as "c_attn"
    k = inserted(k, keys, at);  v = inserted(v, values, at)
    score[n, s < S, u < T] = where(u <= s + at, sum[c](q[n, s, c] * k[n, u, c]), -1e9) / sqrt(C)
    return x + linear(softmax(score) @ v, C), k, v
}
model gpt(token: int[N, S] < V, keys: [N, T, C], values: [N, T, C], at: int) {
    param place: [T, C] = normal()
    x = embedding(token, C) as "wte"
    y[n, s, c] = x[n, s, c] + place[min(s + at, T - 1), c]
    y, k, v = attend(y, keys, values, at) as "h.0"
    return linear(y, V), k, v
}
fn net(token) {
    logits, keys, values = gpt(token, zeros([N, T, C]), zeros([N, T, C]), 0)
    return logits
}
train {
    data plays;  batch 8;  epochs 30
    loss cross_entropy(net(window)[:, :-1], window[:, 1:])
    optimizer adam(learning_rate: 1e-2)
    predict argmax(net(window))
    generate scan t < T with keys = zeros([N, T, C]), values = zeros([N, T, C]) {
        logits, keys, values = gpt(reshape(token, [N, 1]), keys, values, t)
        yield logits[:, 0]
    }
}
)";

} // namespace

TEST_CASE("a trainer continues a text by its generate line", "[generate]") {
    Scratch scratch;
    std::string text;
    for (int i = 0; i < 60; ++i) text += "abcde\n"; // six characters
    scratch.write("text.txt", text);
    scratch.write("m.grad", model);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    Outcome built = run(quoted(gradc) + " build m.grad -o m && ./m train --quiet --checkpoint c.safetensors", launch);
    INFO(built.err);
    REQUIRE(built.code == 0);
    CHECK(contains(scratch.read("c.safetensors"), "\"h.0.c_attn.weight\""));
    CHECK(contains(scratch.read("c.safetensors"), "\"wte.weight\""));
    auto generated = [&](const std::string& flags) {
        return run("./m predict --checkpoint c.safetensors --prompt 'ab' " + flags, launch);
    };
    // 38 characters are several times the context of 8.
    CHECK(generated("--length 38 --temperature 0").out == "abcde\nabcde\nabcde\nabcde\nabcde\nabcde\nabcd\n");
    scratch.write("window.txt", "abcde\nab");
    CHECK(run("./m predict --checkpoint c.safetensors window.txt --output next.txt", launch).code == 0);
    CHECK(contains(scratch.read("next.txt"), "cde\nabc")); // the same by the full forward pass
    std::string drawn = generated("--length 50 --temperature 3 --top-k 4 --seed 5").out;
    CHECK(drawn == generated("--length 50 --temperature 3 --top-k 4 --seed 5").out);
    CHECK(drawn != generated("--length 50 --temperature 3 --top-k 4 --seed 6").out);
    Outcome unknown = run("./m predict --checkpoint c.safetensors --prompt 'xy'", launch);
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.err, "--prompt: the character `x` is not in the alphabet of the model"));
    CHECK(generated("--temperature -1").code == 2);
}
