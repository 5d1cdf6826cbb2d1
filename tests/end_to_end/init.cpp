// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trainers that start from weights of another program: a state dict of PyTorch, and states that start from a weight.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <fstream>

using namespace end_to_end;

namespace {

Outcome built(const Scratch& scratch, const std::string& model, const std::string& trainer) {
    Outcome outcome = call(scratch, "build " + model + " -o " + trainer);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return outcome;
}

} // namespace

TEST_CASE("a state dict of PyTorch gives PyTorch's loss", "[init]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    const std::string folder = tree + "/tests/end_to_end/init/", weights = quoted(folder + "pytorch.safetensors");
    built(scratch, quoted(folder + "model.grad"), "trainer");
    auto loss_of = [&](const std::string& file) {
        Outcome eval = run("./trainer eval --json e.json --checkpoint " + file, launch);
        INFO(eval.err);
        CHECK(eval.code == 0);
        return std::stod(json_value(scratch.read("e.json"), "loss"));
    };
    double expected = 0;
    std::ifstream(folder + "loss.txt") >> expected;
    CHECK(loss_of(weights) == Approx(expected).epsilon(1e-6));
    Outcome started = run("./trainer train --epochs 0 --checkpoint c --init " + weights, launch);
    CHECK(started.code == 0);
    CHECK(started.err == tree + "/tests/end_to_end/init/pytorch.safetensors: note: 10 tensors taken; others are only "
                                "on one side:\n    encoder.1.num_batches_tracked: absent in this trainer, i64[] in "
                                "the file\n");
    CHECK(loss_of("c") == Approx(expected).epsilon(1e-6));
    CHECK(
        run("./trainer train --quiet --epochs 30 --learning-rate 1e-2 --checkpoint d --init " + weights, launch).code ==
        0);
    CHECK(loss_of("d") < expected);
}

TEST_CASE("an optimizer state that starts from a weight starts from the weight that --init took", "[init]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    scratch.write("plain.grad", small_model);
    scratch.write("slow.grad", replaced(small_model, "adam(learning_rate: 1e-2)", "lookahead(sgd(), k: 1, alpha: 0)"));
    built(scratch, "plain.grad", "plain");
    built(scratch, "slow.grad", "slow");
    REQUIRE(run("./plain train --quiet --checkpoint p", launch).code == 0);
    // Each step of lookahead goes back to where it started.
    REQUIRE(run("./slow train --quiet --epochs 1 --checkpoint s --init p", launch).code == 0);
    Outcome plain = run("./plain eval --checkpoint p", launch), slow = run("./slow eval --checkpoint s", launch);
    CHECK(plain.code == 0);
    CHECK(slow.out == plain.out);
}
