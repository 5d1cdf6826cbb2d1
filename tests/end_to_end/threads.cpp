// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trainers on 1, 2, 3 and 7 threads. The models are large enough to be divided, with various losses, optimizers and
// norms; the weights are equal to the last bit. And the processors of --threads 0.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cstdio>
#include <sched.h>

using namespace end_to_end;

namespace {

struct Case {
    const char *name, *hidden, *training;
    const char* dtype = "f32";

    std::string model() const {
        std::string text = R"(dataset rows {
    row: int < 384 = range(384)
    x: f32[200] = normal(shape: [200])
    kind: int < 10 = row % 10
}
model net(x: f32[N, 200]) -> f32[N, 10] {
    h = HIDDEN
    return linear(h, 10)
}
train {
    data rows
    batch 150
    epochs 2
    scores = net(x)
    TRAINING
}
)";
        return replaced(replaced(replaced(text, "HIDDEN", hidden), "TRAINING", training), "f32", dtype);
    }
};

const Case cases[] = {
    {"softmax and Adam", "relu(linear(relu(linear(x, 300)), 130))",
     "loss cross_entropy(scores, kind);  optimizer adam(learning_rate: 1e-3);  metric accuracy(scores, kind)"},
    {"batch norm and momentum", "relu(batch_norm(linear(x, 390)))",
     "loss cross_entropy(scores, kind);  optimizer momentum(learning_rate: 1e-2)"},
    {"sigmoids, squares and clipping by the whole norm", "sigmoid(linear(x, 333))",
     "loss mean((scores - one_hot(kind, 10))^2) + 1e-4 * sum(scores^2);  optimizer "
     "clip_by_global_norm(sgd(learning_rate: 1e-1), max_norm: 1)"},
    {"double precision and layer norm", "tanh(layer_norm(linear(x, 450)))",
     "loss cross_entropy(scores, kind);  optimizer sgd(learning_rate: 1e-2)", "f64"},
};

/// "kernel map: extent 0 + ceil(rows * 1 / 6), grain 2": true if 150 rows are work for two threads.
bool is_shared(const std::string& line) {
    long fixed = 0, per_row = 0, divisor = 1, grain = 0;
    const char* text = line.c_str() + line.find(": extent ");
    if (std::sscanf(text, ": extent %ld + ceil(rows * %ld / %ld), grain %ld", &fixed, &per_row, &divisor, &grain) != 4)
        std::sscanf(text, ": extent %ld, grain %ld", &fixed, &grain);
    return grain > 0 && fixed + (150 * per_row + divisor - 1) / divisor >= 2 * grain;
}

/// Kernels of the train step that may be shared, in the program printed for one machine.
int shared_kernels(const std::string& program) {
    int count = 0;
    bool step = false;
    for (size_t at = 0; at < program.size();) {
        size_t end = std::min(program.find('\n', at), program.size());
        std::string line = program.substr(at, end - at);
        at = end + 1;
        if (line.rfind("program ", 0) == 0) step = line.find("train.step") != line.npos;
        if (step && line.rfind("kernel ", 0) == 0 && is_shared(line)) ++count;
    }
    return count;
}

} // namespace

TEST_CASE("weights are the same bits at any number of threads", "[threads]") {
    for (const Case& each : cases) {
        CAPTURE(each.name);
        Scratch scratch;
        Launch launch{.folder = scratch.path().string(), .limit = 300};
        scratch.write("m.grad", each.model());
        Outcome built = run(quoted(gradc) + " build m.grad -o trainer", launch);
        INFO(built.err);
        REQUIRE(built.code == 0);
        for (const char* isa : {"baseline", "avx2", "avx512"}) {
            CAPTURE(isa);
            std::string forced = std::string(" --isa ") + isa, expected;
            if (run("./trainer bench --steps 1" + forced, launch).code != 0) continue; // not on this CPU
            Outcome program = run(quoted(gradc) + " inspect m.grad --emit=program" + forced, launch);
            CHECK(shared_kernels(program.out) >= 3);
            for (const char* threads : {"1", "2", "3", "7"}) {
                CAPTURE(threads);
                Outcome trained =
                    run(std::string("./trainer train --json log.json --threads ") + threads + forced, launch);
                INFO(trained.err);
                REQUIRE(trained.code == 0);
                std::string log = scratch.read("log.json");
                CHECK(json_value(log, "threads") == threads);
                std::string hash = json_value(log, "weights_hash") + json_value(log, "loss");
                if (expected.empty()) expected = hash;
                CHECK(hash == expected);
            }
        }
    }
}

TEST_CASE("--threads 0 uses the processors that the process may use", "[threads]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    scratch.write("m.grad", small_model);
    REQUIRE(run(quoted(gradc) + " build m.grad -o trainer", launch).code == 0);
    auto used = [&](const std::string& prefix) {
        REQUIRE(run(prefix + "./trainer train --threads 0 --json log.json", launch).code == 0);
        return std::stoi(json_value(scratch.read("log.json"), "threads"));
    };
    cpu_set_t set;
    REQUIRE(sched_getaffinity(0, sizeof set, &set) == 0);
    CHECK(used("") >= 1);
    CHECK(used("") <= CPU_COUNT(&set));
    int first = 0;
    while (!CPU_ISSET(first, &set)) ++first;
    if (run("command -v taskset", launch).code != 0) return skip("pinning to one processor: no taskset");
    CHECK(used("taskset -c " + std::to_string(first) + " ") == 1);
}
