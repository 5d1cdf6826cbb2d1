// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The accuracy of the first example holds for any seed of weights and split.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;

TEST_CASE("digits reaches 0.96 with each of ten seeds", "[seeds]") {
    Scratch scratch;
    scratch.link_tree(gradc, tree);
    Launch launch{.folder = scratch.path().string(), .limit = 300};
    REQUIRE(run("build/gradc build examples/digits/model.grad -o build/digits", launch).code == 0);
    for (int seed = 1; seed <= 10; ++seed) {
        INFO("seed " << seed);
        std::string command = "build/digits train --data-dir examples/digits --quiet --json log.json --seed ";
        REQUIRE(run(command + std::to_string(seed), launch).code == 0);
        CHECK(std::stod(json_value(scratch.read("log.json"), "accuracy")) >= 0.96);
    }
}
