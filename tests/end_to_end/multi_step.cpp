// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tiny models run many steps in one call. For any number of steps in a call, a run has the bits of one that calls each
// step: weights, sums of epochs, reports, checkpoints, and the row of a loss that is not finite.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;

namespace {

/// Generated rows, random numbers in the model, a schedule by step and by epoch, metrics; the last batch may be short.
std::string model(const std::string& dtype, int rows, const std::string& loss = "mse(net(x), y)") {
    std::string text = R"(dataset rows {
    row: int < ROWS = range(ROWS)
    x: f32[3] = uniform(-1, 1, shape: [3])
    y = sum(x)
    split train: 0.8, test: 0.2
}
model net(x: f32[N, 3]) -> f32[N] { return linear(dropout(tanh(linear(x, 5)), 0.1), 1)[:, 0] }
train {
    data rows
    batch 4
    epochs 60
    loss LOSS
    optimizer momentum(learning_rate: cosine(step / steps, peak: 1e-2) / epoch)
    metric off = mean(abs(net(x) - y))
}
)";
    return replaced(replaced(replaced(text, "ROWS", std::to_string(rows)), "LOSS", loss), "f32", dtype);
}

struct Bench {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};

    explicit Bench(const std::string& text) {
        scratch.write("m.grad", text);
        Outcome built = run(quoted(gradc) + " build m.grad -o trainer", launch);
        INFO(built.err << built.out);
        REQUIRE(built.code == 0);
        std::string program = run(quoted(gradc) + " inspect m.grad --emit=program", launch).out;
        REQUIRE(contains(program, "many steps of 4 rows in one call"));
    }
    Outcome train(const std::string& flags) { return run("./trainer train " + flags, launch); }
    /// The checkpoint's bytes.
    std::string weights(const std::string& flags) {
        Outcome ran = train(flags + " --checkpoint w --save-every 1000000");
        INFO(flags << ": " << ran.err);
        REQUIRE(ran.code == 0);
        std::string bytes = scratch.read("w");
        REQUIRE(bytes != "");
        run("rm w", launch);
        return bytes;
    }
    std::vector<std::string> machines() {
        std::vector<std::string> able;
        for (std::string isa : {"baseline", "avx2", "avx512"})
            if (train("--steps 1 --quiet --isa " + isa).code == 0) able.push_back(isa);
        return able;
    }
};

void compare_lengths(const std::string& text) {
    Bench bench(text);
    for (const std::string& isa : bench.machines()) {
        std::string flags = "--isa " + isa + " --quiet", expected = bench.weights(flags + " --multi-step 0");
        for (const char* length : {" --multi-step 1", " --multi-step 3", ""}) {
            INFO(isa << length);
            CHECK(bench.weights(flags + length) == expected);
        }
        CHECK(bench.weights(flags + " --steps 77") == bench.weights(flags + " --steps 77 --multi-step 0"));
    }
}

} // namespace

TEST_CASE("any grouping of steps in calls gives the same bits", "[multi_step]") {
    compare_lengths(model("f32", 60)); // 48 rows: twelve steps an epoch
    compare_lengths(model("f64", 60));
    compare_lengths(model("f32", 67)); // a short last batch
    compare_lengths(model("f32", 5));  // an epoch is one step
}

TEST_CASE("reports of epochs do not depend on the grouping of steps", "[multi_step]") {
    for (int rows : {60, 67, 5}) {
        Bench bench(model("f32", rows));
        std::string expected = bench.train("--multi-step 0").out, found = bench.train("").out;
        auto epochs = [](const std::string& out) { return out.substr(0, out.rfind("epoch ")); }; // then come times
        CHECK(epochs(found) == epochs(expected));
        CHECK(contains(epochs(found), "off"));
        REQUIRE(bench.train("--json a.json").code == 0);
        REQUIRE(bench.train("--json b.json --multi-step 0").code == 0);
        std::string a = bench.scratch.read("a.json"), b = bench.scratch.read("b.json");
        for (const char* key : {"weights_hash", "loss", "off"}) CHECK(json_value(a, key) == json_value(b, key));
        CHECK(json_value(a, "off") != "");
    }
}

TEST_CASE("a run resumed in an epoch runs many steps in a call", "[multi_step]") {
    for (int rows : {60, 67}) {
        Bench bench(model("f32", rows));
        std::string expected = bench.weights("--quiet --multi-step 0");
        REQUIRE(bench.train("--quiet --checkpoint part --steps 31").code == 0);
        Outcome rest = bench.train("--quiet --epochs 60 --checkpoint part --resume --save-every 1000000");
        INFO(rest.err);
        REQUIRE(rest.code == 0);
        std::string a = bench.scratch.read("part");
        // The schedule's `steps` was 31 in the first part: compare with a run that was cut there step by step.
        REQUIRE(bench.train("--quiet --checkpoint slow --steps 31 --multi-step 0").code == 0);
        std::string resumed = "--quiet --epochs 60 --checkpoint slow --resume --save-every 1000000 --multi-step 0";
        REQUIRE(bench.train(resumed).code == 0);
        CHECK(a == bench.scratch.read("slow"));
        CHECK(a != expected);
    }
}

TEST_CASE("a loss that is not finite ends a call before the step", "[multi_step]") {
    // The logarithm of a number that falls by a constant in each step, until it is below zero.
    Bench bench(model("f32", 60, "mse(net(x), y) + log(100 - step)"));
    Outcome slow = bench.train("--quiet --multi-step 0 --checkpoint a"), fast = bench.train("--quiet --checkpoint b");
    CHECK(slow.code == 3);
    CHECK(fast.code == 3);
    CHECK(contains(slow.err, "in step 100, epoch 9"));
    std::string expected = slow.err;
    expected.replace(expected.find("a holds"), 1, "b");
    CHECK(fast.err == expected);
    CHECK(bench.scratch.read("a") == bench.scratch.read("b"));
}
