// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The README's excerpts are output of the compiler: below `<!-- from: command -->` every line of the block is a line of
// the command's output, in that order. A line `...` stands for any lines.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <vector>

using namespace end_to_end;

namespace {

struct Excerpt {
    std::string command;
    std::vector<std::string> lines;
};

std::vector<Excerpt> excerpts(const std::string& path) {
    const std::string mark = "<!-- from: ", end = " -->";
    std::vector<Excerpt> all;
    std::ifstream file(path);
    bool inside = false, wanted = false;
    for (std::string line; std::getline(file, line);) {
        if (line.rfind(mark, 0) == 0) {
            all.push_back({line.substr(mark.size(), line.size() - mark.size() - end.size()), {}});
            wanted = true;
        } else if (line.rfind("```", 0) == 0) {
            inside = wanted && !inside;
            if (!inside) wanted = false;
        } else if (inside && line.find_first_not_of(" .") != line.npos) {
            all.back().lines.push_back(line);
        }
    }
    return all;
}

} // namespace

TEST_CASE("the README's excerpts are output of the compiler", "[readme]") {
    Scratch scratch;
    scratch.link_tree(gradc, tree);
    std::vector<Excerpt> all = excerpts(tree + "/README.md");
    CHECK(all.size() == 3);
    for (const Excerpt& excerpt : all) {
        INFO(excerpt.command);
        Outcome outcome = run(excerpt.command, {.folder = scratch.path().string(), .limit = 60});
        REQUIRE(outcome.code == 0);
        CHECK(excerpt.lines.size() > 5);
        std::istringstream output(outcome.out);
        std::string printed;
        for (const std::string& line : excerpt.lines) {
            while (std::getline(output, printed) && printed != line) {
            }
            INFO("not printed, or not in this order: " << line);
            REQUIRE(output);
        }
    }
}
