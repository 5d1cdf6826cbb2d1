// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Generated fields of a data set are columns like those of files, computed once before the first step.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;

namespace {

const std::string net = R"(model net(x: f32[N, 4]) -> f32[N, 3] { return linear(tanh(linear(x, 8)), 3) }
train {
    data rows
    batch 16
    epochs 3
    loss cross_entropy(net(x), kind)
    optimizer adam(learning_rate: 1e-2)
}
)";

const std::string drawn = R"(dataset rows {
    row: int < 100 = range(100)
    raw: f32[4] = uniform(-1, 1, shape: [4])
    x = sin(3 * raw) + 0.1 * raw[::-1]
    kind: int < 3 = where(uniform(0, 1) + x[0] > 1, 1, where(x[1] > 0, 2, 0))
}
)" + net;

const std::string stored = R"(dataset rows {
    x: f32[4] = npy("data/train.x.npy")
    kind: int < 3 = npy("data/train.kind.npy")
}
)" + net;

struct Folder {
    Scratch scratch;
    Outcome call(const std::string& command) const {
        return run(command, {.folder = scratch.path().string(), .limit = 120});
    }
    void build(const std::string& name, const std::string& model, const std::string& options = "") {
        scratch.write(name + ".grad", model);
        Outcome built = call(quoted(gradc) + " build " + name + ".grad -o " + name + " " + options);
        INFO(built.err);
        REQUIRE(built.code == 0);
    }
    std::string hash_after(const std::string& train) const {
        Outcome outcome = call(train + " --json log.json");
        INFO(outcome.err);
        REQUIRE(outcome.code == 0);
        return json_value(scratch.read("log.json"), "weights_hash");
    }
};

} // namespace

TEST_CASE("generated rows train to the same bits as the same rows from files", "[generated]") {
    Folder folder;
    folder.build("drawn", drawn);
    folder.build("stored", stored);
    for (const char* isa : {"baseline", "avx2"}) { // the rows are the same on each
        std::string forced = std::string(" --isa ") + isa;
        if (folder.call("./drawn export --output data" + forced).code != 0) continue; // not on this CPU
        std::string expected = folder.hash_after("./stored train" + forced);
        CHECK(folder.hash_after("./drawn train" + forced) == expected);
        REQUIRE(folder.call("rm -f w").code == 0);
        REQUIRE(folder.call("./drawn train --steps 5 --checkpoint w" + forced).code == 0);
        CHECK(folder.hash_after("./drawn train --steps 21 --checkpoint w --resume" + forced) == expected);
    }
    std::string about = folder.call("./drawn info").out;
    CHECK(contains(about, "x                    f32[4]           computed once, at the start: 1.6 KB"));
    CHECK(contains(about, "kind                 i32[]            computed once, at the start: 400 bytes"));
}

TEST_CASE("generated rows that take too much memory are computed in each step", "[generated]") {
    Folder folder;
    folder.build("large", replaced(drawn, "100", "20000000"));
    CHECK(!contains(folder.call("./large info").out, "computed once"));
    Outcome trained = folder.call("./large train --steps 2 --json log.json");
    INFO(trained.err);
    CHECK(trained.code == 0);
}
