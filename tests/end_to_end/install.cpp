// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An installed tree, moved to another folder, without the build tree: it builds trainers, and they train.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;
namespace fs = std::filesystem;

TEST_CASE("an installed gradc can be moved", "[install]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 300};
    Outcome installed = run("cmake --install " + quoted(GRADC_BUILD_DIR) + " --prefix first", launch);
    INFO(installed.out << installed.err);
    REQUIRE(installed.code == 0);
    for (const char* part : {"first/bin/gradc", "first/include/gradc/abi.h"}) CHECK(fs::exists(scratch.path() / part));
    fs::rename(scratch.path() / "first", scratch.path() / "second place");
    fs::path binary = scratch.path() / "second place/bin/gradc";

    // The build tree and the sources are out of reach: whatever is read from there is seen.
    std::string text = scratch.read("second place/bin/gradc");
    CHECK(!contains(text, GRADC_BUILD_DIR));
    CHECK(!contains(text, tree + "/"));

    for (const char* file : {"model.grad", "digits.csv"})
        fs::copy_file(fs::path(tree) / "examples/digits" / file, scratch.path() / file);
    Outcome built = run(quoted(binary.string()) + " build model.grad -o trainer", launch);
    INFO(built.err);
    REQUIRE(built.code == 0);
    fs::remove_all(scratch.path() / "second place");
    REQUIRE(run("./trainer train --quiet --json log.json", launch).code == 0);
    CHECK(std::stod(json_value(scratch.read("log.json"), "accuracy")) >= 0.96);
}
