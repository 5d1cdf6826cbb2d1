// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One trainer, every instruction set it holds and this machine has, each forced by --isa. Those with fused multiply-add
// train to the same bits; the baseline rounds products, and trains to the same numbers up to that.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <vector>

using namespace end_to_end;

namespace {

/// The trainer's instruction sets that this machine has, by `info`.
std::vector<std::string> runnable(const std::string& about) {
    std::vector<std::string> result;
    std::string best = about.substr(about.find("here it runs ") + 13);
    best = best.substr(0, best.find_first_of(" ,\n"));
    for (const char* isa : {"baseline", "avx2", "avx512"}) {
        result.push_back(isa);
        if (best == isa) return result;
    }
    return {};
}

/// Losses and accuracies of two epochs on the digits, by instruction set.
void compare(const std::string& precision, double tolerance) {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 300};
    std::string model = quoted(tree + "/examples/digits/model.grad"), data = quoted(tree + "/examples/digits");
    Outcome built = run(quoted(gradc) + " build " + model + " -o trainer --dtype " + precision, launch);
    INFO(built.err);
    REQUIRE(built.code == 0);
    std::vector<std::string> isas = runnable(run("./trainer info", launch).out);
    REQUIRE(!isas.empty());
    double first = 0;
    for (const std::string& isa : isas) {
        CAPTURE(precision, isa);
        Outcome trained =
            run("./trainer train --epochs 2 --json log.json --data-dir " + data + " --isa " + isa, launch);
        INFO(trained.err);
        REQUIRE(trained.code == 0);
        std::string log = scratch.read("log.json");
        CHECK(json_value(log, "isa") == isa);
        double loss = std::stod(json_value(log, "loss"));
        if (isa == isas.front()) first = loss; // the baseline
        CHECK(std::fabs(loss - first) <= tolerance * first);
    }
}

} // namespace

TEST_CASE("each instruction set trains to the same numbers", "[isas]") {
    compare("f64", 1e-9);
    compare("f32", 1e-3);
}

TEST_CASE("instruction sets with fused multiply-add train to the same bits, with any threads, killed or not",
          "[isas]") {
    for (const char* dtype : {"f32", "f64"}) {
        Scratch scratch;
        Launch launch{.folder = scratch.path().string(), .limit = 300};
        std::string model = quoted(tree + "/examples/digits/model.grad"), data = quoted(tree + "/examples/digits");
        REQUIRE(run(quoted(gradc) + " build " + model + " -o trainer --dtype " + dtype, launch).code == 0);
        std::vector<std::string> isas = runnable(run("./trainer info", launch).out);
        if (isas.size() < 2) return skip("same bits: this machine has no fused multiply-add");
        isas.erase(isas.begin());
        std::string train = "./trainer train --quiet --epochs 3 --data-dir " + data, expected;
        for (const std::string& isa : isas)
            for (int threads : {1, 2, 3, 7}) {
                CAPTURE(dtype, isa, threads);
                std::string flags =
                    " --overwrite --checkpoint w --isa " + isa + " --threads " + std::to_string(threads);
                REQUIRE(run(train + flags, launch).code == 0);
                std::string weights = scratch.read("w");
                if (expected.empty()) expected = weights;
                CHECK((weights == expected));
            }
        Launch deadly = launch;
        deadly.signal = SIGKILL;
        deadly.signal_when = "killed";
        std::string killed = "exec " + train + " --checkpoint killed --save-every 1 --threads 2 --isa ";
        CHECK(run(killed + isas.front(), deadly).code == 128 + SIGKILL);
        REQUIRE(run(killed + isas.back() + " --resume", launch).code == 0);
        CHECK((scratch.read("killed") == expected));
    }
}

TEST_CASE("a single instruction set holds no other", "[isas]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    REQUIRE(run(quoted(gradc) + " build m.grad -o trainer --isa baseline", launch).code == 0);
    CHECK(contains(run("./trainer info", launch).out, "built for  baseline;"));
    Outcome refused = run("./trainer train --isa avx2", launch);
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "avx2"));
}
