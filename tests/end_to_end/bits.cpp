// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The hash `bits`: equal where trainers compute the same bits, another one where they do not, and compared by --resume.
// With it what those bits consist of: denormal numbers, kept or not, and NaNs, of which only one is saved.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <set>

using namespace end_to_end;

namespace {

/// The hash that `info` prints for "fma" or "baseline"; "" if there is none.
std::string bits(const std::string& info, const std::string& arithmetic) {
    size_t at = info.find("  " + arithmetic + ": ");
    return at == info.npos ? "" : info.substr(at - 16, 16);
}

/// Builds m.grad and returns what `info` prints.
std::string info(const Scratch& scratch, const std::string& flags) {
    Outcome built = call(scratch, "build m.grad -o trainer " + flags);
    INFO(built.err);
    REQUIRE(built.code == 0);
    return run("./trainer info", {.folder = scratch.path().string()}).out;
}

std::string with_model(const Scratch& scratch, const std::string& model, const std::string& flags = "") {
    scratch.write("m.grad", model);
    return bits(info(scratch, "--isa baseline " + flags), "baseline");
}

} // namespace

TEST_CASE("trainers for AVX2, AVX-512 and both have one hash; the baseline has another", "[bits]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    std::string both = info(scratch, "--isa portable"), fma = bits(both, "fma"), baseline = bits(both, "baseline");
    CHECK(fma.find_first_not_of("0123456789abcdef") == fma.npos);
    CHECK(fma != baseline);
    CHECK(contains(both, fma + "  fma: the same bits on AVX2 and AVX-512 machines\n"));
    CHECK(contains(both, baseline + "  baseline: no FMA, own bits\n"));
    for (const char* isa : {"avx2", "avx512"}) {
        std::string one = info(scratch, std::string("--isa ") + isa);
        CHECK(bits(one, "fma") == fma);
        CHECK(bits(one, "baseline") == "");
    }
    CHECK(bits(info(scratch, "--isa baseline"), "baseline") == baseline);
}

TEST_CASE("names, comments, memory and shared code do not change the hash; what is computed does", "[bits]") {
    Scratch scratch;
    std::string model = small_model, first = with_model(scratch, model);
    CHECK(with_model(scratch, "# a comment\n" + replaced(model, "net", "model_of_rows")) !=
          first); // other random numbers
    CHECK(with_model(scratch, "# a comment\n" + replaced(model, "y", "sums")) == first);
    CHECK(with_model(scratch, model, "--no-share") == first);
    CHECK(with_model(scratch, model, "--memory 1") == first);
    std::set<std::string> all{first};
    CHECK(all.insert(with_model(scratch, model, "--dtype f64")).second);
    CHECK(all.insert(with_model(scratch, model, "--denormals keep")).second);
    for (auto [from, to] : {std::pair{"tanh", "relu"},
                            {"1e-2", "2e-2"},
                            {"epochs 3", "epochs 4"},
                            {", 8", ", 9"},
                            {"adam", "adamax"},
                            {"mse(", "2 * mse("},
                            {"batch 4", "batch 8"},
                            {"uniform(-1", "uniform(-2"}}) {
        CAPTURE(from, to);
        CHECK(all.insert(with_model(scratch, replaced(model, from, to))).second);
    }
    CHECK(with_model(scratch, model, "--dtype f64 --denormals keep") == with_model(scratch, model, "--dtype f64"));
}

TEST_CASE("a run is resumed by a trainer with the same bits only", "[bits]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    std::string begun = info(scratch, "--isa portable");
    if (!contains(begun, "here it runs avx")) return skip("bits: this machine has no fused multiply-add");
    REQUIRE(run("./trainer train --quiet --isa avx2 --checkpoint w --json log", launch).code == 0);
    CHECK(json_value(scratch.read("log"), "bits") == bits(begun, "fma"));
    CHECK(json_value(scratch.read("w"), "bits") == bits(begun, "fma"));
    std::string weights = scratch.read("w");
    Outcome refused = run("./trainer train --resume --isa baseline --checkpoint w", launch);
    CHECK(refused.code == 1);
    CHECK(refused.err == "w: error: the run in this checkpoint had another origin:\n    bits: " +
                             bits(begun, "baseline") + " here, " + bits(begun, "fma") +
                             " in the file\n    arithmetic: baseline here, fma in the file\n"
                             "--resume --allow-mismatch continues from it; the bits may differ\n");
    CHECK(scratch.read("w") == weights);
    CHECK(run("./trainer train --resume --isa baseline --checkpoint w --allow-mismatch", launch).code == 0);
    scratch.write("w", weights);
    scratch.write("m.grad", std::string("# the same\n") + small_model);
    info(scratch, "--isa avx2"); // other text and options, the same bits
    CHECK(run("./trainer train --resume --checkpoint w --epochs 4", launch).code == 0);
    scratch.write("m.grad", replaced(small_model, "tanh", "relu"));
    info(scratch, "--isa avx2");
    refused = run("./trainer train --resume --checkpoint w --epochs 5", launch);
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "\n    model file: "));
    CHECK(run("./trainer train --resume --checkpoint w --epochs 5 --allow-mismatch", launch).code == 0);
}

TEST_CASE("an update by a denormal number is kept with --denormals keep, zero without", "[bits]") {
    Scratch scratch;
    scratch.write("m.grad", "dataset rows { x: f32 < 1 = 1e-20 + 0 * range(4) }\n"
                            "model line(x: f32[N]) -> f32[N] { param w: f32 = 0\n return w * x }\n"
                            "train { data rows\n batch 4\n epochs 3\n loss mean(line(x))\n"
                            "optimizer sgd(learning_rate: 1e-20)\n predict line(x * 1e20) * 1e38 }\n");
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    for (std::string choice : {"keep", "flush"}) {
        CAPTURE(choice);
        std::string about = info(scratch, "--denormals " + choice);
        CHECK(contains(about, choice == "keep" ? "denormals  kept" : "denormals  flushed to zero in steps (f32)"));
        for (const char* flags : {"", " --isa baseline", " --threads 2"}) {
            REQUIRE(run(std::string("./trainer train --quiet --overwrite --checkpoint w") + flags, launch).code == 0);
            Outcome predicted = run("./trainer predict --checkpoint w --split train", launch);
            INFO(predicted.out << predicted.err);
            double value = std::stod(predicted.out.substr(predicted.out.find('\n') + 1));
            CHECK((choice == "keep" ? value < -0.02 && value > -0.04 : value == 0));
        }
    }
    CHECK(call(scratch, "build m.grad --denormals some").code == 2);
    CHECK(call(scratch, "run m.grad --denormals some").code == 2);
    CHECK(call(scratch, "run m.grad --quiet --denormals keep").code == 0);
}

TEST_CASE("every NaN is saved as the one quiet NaN", "[bits]") {
    Scratch scratch;
    scratch.write("m.grad", replaced(small_model, "epochs 3", "epochs 3\n    predict net(x)"));
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    info(scratch, "");
    std::string train =
        "./trainer train --quiet --nan continue --learning-rate 1e38 --epochs 9 --overwrite --checkpoint w";
    REQUIRE(run(train, launch).code == 0);
    REQUIRE(run("./trainer predict --checkpoint w -o p.npy --split train", launch).code == 0);
    const std::string quiet("\0\0\xc0\x7f", 4), of_the_processor("\0\0\xc0\xff", 4);
    for (const char* file : {"w", "p.npy"}) {
        CAPTURE(file);
        CHECK(contains(scratch.read(file), quiet + quiet));
        CHECK_FALSE(contains(scratch.read(file), of_the_processor));
    }
}
