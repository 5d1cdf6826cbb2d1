// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fine-tuning: what `freeze` names costs no kernel, and a resumed training goes on to the same bits.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;

namespace {

std::string model(const std::string& line) {
    return R"(dataset rows {
    row: int < 64 = range(64)
    image: f32[8, 8, 1] = uniform(-1, 1, shape: [8, 8, 1])
    label: int < 4 = row % 4
    split train: 0.75, test: 0.25
}
model base(x: f32[N, 8, 8, 1]) {
    h = max_pool2d(relu(batch_norm(conv2d(x, 8, 3, padding: 1))), 2)
    return relu(linear(reshape(h, [N, 4 * 4 * 8]), 32))
}
model head(x: f32[N, 32]) -> f32[N, 4] { return linear(x, 4) }
train {
    data rows
    batch 16
    epochs 6
    loss cross_entropy(head(base(image)), label)
    optimizer adam(learning_rate: 1e-2)
    )" + line +
           "\n}\n";
}

size_t count(const std::string& text, const std::string& part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

} // namespace

TEST_CASE("no kernel computes a frozen gradient", "[freeze]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string()};
    auto plan = [&](const std::string& line) {
        scratch.write("m.grad", model(line));
        Outcome outcome = run(quoted(gradc) + " inspect m.grad --emit=plan", launch);
        REQUIRE(outcome.code == 0);
        size_t step = outcome.out.find("program train.step");
        return outcome.out.substr(step, outcome.out.find("program train.training") - step);
    };
    std::string all = plan(""), frozen = plan("freeze base");
    CHECK(count(all, " backward_base_") >= 4);
    CHECK(count(frozen, " backward_") == 2);
    CHECK(count(frozen, " backward_head_linear_weight_adam") == 1);
    CHECK(count(frozen, " backward_head_linear_bias_adam") == 1);
    CHECK(count(frozen, " update_") == 0);
}

TEST_CASE("a training with frozen parameters resumes to the same bits", "[freeze]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string()};
    scratch.write("m.grad", model("freeze base"));
    REQUIRE(run(quoted(gradc) + " build m.grad -o trainer", launch).code == 0);
    auto trained = [&](const std::string& flags) {
        Outcome outcome = run("./trainer train --quiet --json log " + flags, launch);
        INFO(outcome.err);
        REQUIRE(outcome.code == 0);
        return json_value(scratch.read("log"), "weights_hash");
    };
    std::string whole = trained("--epochs 6 --checkpoint whole");
    trained("--epochs 2 --checkpoint parts");
    CHECK(trained("--epochs 6 --checkpoint parts --resume") == whole);
}
