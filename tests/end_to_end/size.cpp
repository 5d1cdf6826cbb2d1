// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The size of a trainer, compared with the smallest static PIE in C++ with a thread.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;
namespace fs = std::filesystem;

TEST_CASE("the digits trainer is at most 261 KB larger than an empty program", "[size]") {
    Scratch scratch;
    scratch.link_tree(gradc, tree);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    if (run("command -v c++", launch).code != 0) return skip("the size of an empty static program: no compiler");
    scratch.write("empty.cpp", "#include <thread>\nint main() { std::thread([] {}).join(); }\n");
    REQUIRE(run("c++ -O2 -static-pie -s empty.cpp -o empty", launch).code == 0);
    REQUIRE(run("build/gradc build examples/digits/model.grad -o digits", launch).code == 0);
    CHECK(fs::file_size(scratch.path() / "digits") <= fs::file_size(scratch.path() / "empty") + 261 * 1024);
}
