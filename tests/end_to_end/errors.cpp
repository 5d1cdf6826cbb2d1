// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data files that change while a trainer has them mapped.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <filesystem>

using namespace end_to_end;

namespace {

struct Mapped {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};

    Mapped() {
        std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (4096, 256), }";
        header.append(127 - 10 - header.size(), ' ');
        header += '\n';
        std::string file = std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header;
        for (int i = 0; i < 4096 * 256; ++i) file += char(i % 251);
        scratch.write("x.npy", file);
        scratch.write("m.grad", R"(dataset rows { x: u8[256] = npy("x.npy") }
model net(x: f32[N, 256]) -> f32[N, 1] { return linear(x, 1) }
train {
    data rows
    batch 32
    epochs 100000000
    loss mean(net(x / 255)^2)
    optimizer sgd(learning_rate: 1e-3)
}
)");
        Outcome built = run(quoted(gradc) + " build m.grad -o trainer", launch);
        INFO(built.err);
        REQUIRE(built.code == 0);
    }
    /// Trains until the checkpoint is there, then runs `what`, then waits for the end.
    Outcome train_beside(const std::string& what) {
        return run("./trainer train --quiet --save-every 10 --checkpoint w 2>err & trainer=$!; "
                   "while [ ! -e w ]; do sleep 0.01; done; " +
                       what + "; wait $trainer",
                   launch);
    }
};

} // namespace

TEST_CASE("a data file that shrinks ends the trainer with an error", "[errors]") {
    Mapped place;
    Outcome outcome = place.train_beside("truncate -s 5000 x.npy");
    CHECK(outcome.code == 1);
    CHECK(place.scratch.read("err") == "x.npy: error: it changed while it was in use: it had 1048704 bytes when it was "
                                       "opened, now it has 5000\n");
    CHECK(!std::filesystem::exists(place.scratch.path() / "w.lock"));
    CHECK(run("./trainer export --checkpoint w --output e.safetensors", place.launch).code ==
          1); // the data, not a signal
}

TEST_CASE("a data file that another process writes to gives one warning", "[errors]") {
    Mapped place;
    Outcome outcome =
        place.train_beside("touch -d 2001-01-01 x.npy; while [ ! -s err ]; do sleep 0.01; done; sleep 0.1; "
                           "kill -INT $trainer");
    std::string told = place.scratch.read("err");
    INFO(told);
    CHECK(outcome.code == 130);
    CHECK(told.rfind("x.npy: warning: another process wrote to this file", 0) == 0);
    CHECK(told.find('\n') == told.size() - 1);
}
