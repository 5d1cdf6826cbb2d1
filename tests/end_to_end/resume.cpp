// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A training that is killed at random instants and resumed ends with the weights of an uninterrupted one, bit by bit.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <csignal>
#include <random>

using namespace end_to_end;

namespace {

// Dropout, momentum, a schedule and a short last batch: all that must come back from the checkpoint.
const std::string model = R"(dataset rows {
    row: int < 250 = range(250)
    x: f32[6] = uniform(-1, 1, shape: [6])
    y = sum(x)
    split train: 0.8, test: 0.2
}
model net(x: f32[N, 6]) -> f32[N] { return linear(dropout(tanh(linear(x, 16)), 0.1), 1)[:, 0] }
train {
    data rows
    batch 32
    epochs 400
    loss mse(net(x), y)
    optimizer adam(learning_rate: cosine(step / steps, peak: 1e-2))
}
)";

} // namespace

TEST_CASE("resume equals an uninterrupted run", "[resume]") {
    Scratch scratch;
    scratch.write("m.grad", model);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    REQUIRE(run(quoted(gradc) + " build m.grad -o trainer", launch).code == 0);
    Outcome whole = run("./trainer train --seed 2 --quiet --save-every 7 --checkpoint whole --json whole.json", launch);
    REQUIRE(whole.code == 0);
    std::string expected = json_value(scratch.read("whole.json"), "weights_hash");
    REQUIRE(expected != "");

    std::mt19937 generator(20);
    std::uniform_real_distribution<double> instant(0.0, whole.seconds * 0.4);
    for (int trial = 0; trial < 5; ++trial) {
        std::string name = "w" + std::to_string(trial), log = name + ".json";
        std::string command =
            "exec ./trainer train --seed 2 --quiet --save-every 7 --checkpoint " + name + " --json " + log;
        int killed = 0;
        Launch deadly = launch;
        deadly.signal = SIGKILL;
        for (int kill = 0; kill < 3; ++kill) {
            // The first kill waits for a checkpoint, so that it always meets a run; the others come at any time.
            deadly.signal_when = kill == 0 ? name : "";
            deadly.signal_after = kill == 0 ? -1 : instant(generator);
            bool begun = std::filesystem::exists(scratch.path() / name);
            killed += run(command + (begun ? " --resume" : ""), deadly).code == 128 + SIGKILL;
        }
        bool begun = std::filesystem::exists(scratch.path() / name);
        Outcome last = run(command + (begun ? " --resume" : ""), launch);
        INFO(last.err);
        CHECK(last.code == 0);
        CHECK(json_value(scratch.read(log), "weights_hash") == expected);
        CHECK(killed > 0);
    }
}
