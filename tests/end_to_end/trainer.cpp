// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trainers as separate processes: their files, their errors and their exit codes.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <sstream>

using namespace end_to_end;
namespace fs = std::filesystem;

namespace {

struct Bench { // a scratch folder with a built trainer
    Scratch scratch;
    explicit Bench(const std::string& model, const std::string& options = "") {
        scratch.write("m.grad", model);
        Outcome built = run(quoted(gradc) + " build m.grad -o trainer " + options,
                            {.folder = scratch.path().string(), .limit = 120});
        INFO(built.err);
        REQUIRE(built.code == 0);
    }
    Outcome call(const std::string& arguments, Launch launch = {}) const {
        launch.folder = scratch.path().string();
        if (launch.limit == 300) launch.limit = 120;
        return run("exec ./trainer " + arguments, launch); // signals are the trainer's, not the shell's
    }
    std::string hash(const std::string& log) const { return json_value(scratch.read(log), "weights_hash"); }
};

const std::string diverging = R"(dataset rows {
    row: int < 8 = range(8)
    x: f32[2] = uniform(1, 2, shape: [2])
}
model net(x: f32[N, 2]) -> f32[N] {
    h = linear(x, 4)
    return sum(exp(h * h), axis: -1)
}
train {
    data rows
    batch 4
    epochs 200
    loss mean(net(x))
    optimizer sgd(learning_rate: 10)
}
)";

} // namespace

TEST_CASE("the same seed gives the same weights at any number of threads", "[trainer]") {
    Bench bench(small_model);
    REQUIRE(bench.call("train --seed 5 --threads 1 --json one.json").code == 0);
    REQUIRE(bench.call("train --seed 5 --threads 3 --json three.json").code == 0);
    REQUIRE(bench.call("train --seed 6 --json other.json").code == 0);
    CHECK(bench.hash("one.json") != "");
    CHECK(bench.hash("one.json") == bench.hash("three.json"));
    CHECK(bench.hash("one.json") != bench.hash("other.json"));
}

TEST_CASE("--json has its documented keys", "[trainer]") {
    Bench bench(small_model);
    REQUIRE(bench.call("train --epochs 2 --json log.json").code == 0);
    std::string json = bench.scratch.read("log.json");
    for (const char* key : {"model", "seed", "threads", "isa", "steps", "seconds", "step_us", "rows_per_second",
                            "peak_bytes", "flops_per_step", "weights_hash", "epochs", "train", "loss"}) {
        INFO(key);
        CHECK(contains(json, std::string("\"") + key + "\""));
    }
    CHECK(json_value(json, "model") == "m");
    CHECK(json_value(json, "steps") == "8");
}

TEST_CASE("eval and predict read the checkpoint of train", "[trainer]") {
    std::string model = small_model;
    model.insert(model.rfind('}'), "    predict net(x)\n");
    Bench bench(model);
    REQUIRE(bench.call("train --epochs 2 --checkpoint w.safetensors").code == 0);
    CHECK(fs::exists(bench.scratch.path() / "w.safetensors"));
    Outcome evaluated = bench.call("eval --checkpoint w.safetensors");
    CHECK(evaluated.code == 0);
    CHECK(contains(evaluated.out, "loss"));
    Outcome predicted = bench.call("predict --checkpoint w.safetensors");
    CHECK(predicted.code == 0);
    std::istringstream lines(predicted.out);
    std::string header;
    std::getline(lines, header);
    CHECK(header == "predict");
    size_t numbers = 0;
    for (double value; lines >> value;) numbers += std::isfinite(value);
    CHECK(numbers == 16);
    CHECK(bench.call("eval --checkpoint absent.safetensors").code == 1);
}

TEST_CASE("a loss that is not finite stops training with exit code 3", "[trainer]") {
    Bench bench(diverging);
    Outcome outcome = bench.call("train --checkpoint w.safetensors");
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, "m.grad:"));
    CHECK(contains(outcome.err, "step"));
    Outcome resumed = bench.call("eval --checkpoint w.safetensors"); // the last good weights
    CHECK(resumed.code == 0);
    CHECK(!contains(resumed.out, "nan"));
    CHECK(bench.call("train --epochs 5 --nan continue --checkpoint v.safetensors").code == 0);
}

TEST_CASE("a damaged or foreign checkpoint is refused", "[trainer]") {
    Bench bench(small_model);
    REQUIRE(bench.call("train --epochs 1 --checkpoint w").code == 0);
    std::string whole = bench.scratch.read("w");
    REQUIRE(whole.size() > 100);
    for (size_t length : {size_t(0), size_t(7), size_t(20), whole.size() / 2, whole.size() - 1}) {
        INFO(length);
        bench.scratch.write("w", whole.substr(0, length));
        CHECK(bench.call("eval --checkpoint w").code == 1);
        CHECK(bench.call("train --resume --checkpoint w").code == 1);
        CHECK((bench.scratch.read("w") == whole.substr(0, length)));
    }
    std::string wider = small_model;
    wider.replace(wider.find("linear(x, 8)"), 12, "linear(x, 9)");
    Bench other(wider);
    REQUIRE(other.call("train --epochs 1 --checkpoint w").code == 0);
    bench.scratch.write("w", other.scratch.read("w"));
    Outcome foreign = bench.call("train --resume --checkpoint w");
    CHECK(foreign.code == 1);
    CHECK(contains(foreign.err, "net.linear_1.weight"));
}

TEST_CASE("an interrupt leaves a valid checkpoint and exit code 130", "[trainer]") {
    Bench bench(small_model);
    for (int signal : {SIGINT, SIGTERM}) {
        INFO(signal);
        fs::remove(bench.scratch.path() / "w");
        Outcome outcome = bench.call("train --epochs 100000000 --quiet --checkpoint w --save-every 1000",
                                     {.signal_when = "w", .signal = signal});
        CHECK(outcome.code == 130);
        CHECK(bench.call("eval --checkpoint w").code == 0);
    }
}

TEST_CASE("a second trainer on the same checkpoint is refused", "[trainer]") {
    Bench bench(small_model);
    Outcome outcome = run("./trainer train --epochs 100000000 --quiet --checkpoint w --save-every 1000 & first=$!; "
                          "while [ ! -e w ]; do sleep 0.01; done; "
                          "./trainer train --epochs 1 --checkpoint w; echo second $?; kill -INT $first; wait $first",
                          {.folder = bench.scratch.path().string(), .limit = 60});
    CHECK(contains(outcome.out, "second 1"));
}

TEST_CASE("a closed pipe and a full disk damage nothing", "[trainer]") {
    Bench bench(small_model);
    REQUIRE(bench.call("train --epochs 1 --checkpoint w").code == 0);
    Outcome closed = run("./trainer train --epochs 2000 --checkpoint v | head -n 1 > /dev/null",
                         {.folder = bench.scratch.path().string(), .limit = 60});
    CHECK(!closed.timed_out);
    Outcome full = bench.call("train --epochs 1 --json /dev/full --overwrite --checkpoint v");
    CHECK(full.code == 1);
    CHECK(fs::is_character_file("/dev/full")); // written to, if at all, and never replaced
    CHECK(bench.call("eval --checkpoint w").code == 0);
}
