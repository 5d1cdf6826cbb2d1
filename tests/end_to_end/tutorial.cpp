// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pages of docs/ as a reader follows them. A `grad` block is saved under the last `build/..grad` that the text named.
// Every `sh` block is run; its output must have the words of each `<!-- expect: words -->` below it, as in expected.txt
// (README.md beside this file). `<!-- needs: folder -->` above a block names a folder of GRADC_DATA.
#include "tests/end_to_end/expectation.h"
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace end_to_end;

namespace {

struct Part {
    std::string file;     // where `text` is saved; "" for commands
    std::string text;     // of the block
    std::string expected; // as in expected.txt, a line each
    std::string needs;
};

/// The word of a comment `<!-- key: word -->`; "" for any other line.
std::string comment(const std::string& line, const std::string& key) {
    std::string opening = "<!-- " + key + ": ", closing = " -->";
    if (!line.starts_with(opening) || !line.ends_with(closing)) return {};
    return line.substr(opening.size(), line.size() - opening.size() - closing.size());
}

std::vector<Part> parts_of(const std::string& path) {
    std::vector<Part> parts;
    std::string file, needs;
    bool inside = false, wanted = false;
    std::ifstream stream(path);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with("```")) {
            wanted = !inside && (line == "```sh" || line == "```grad");
            if (wanted) parts.push_back({line == "```grad" ? file : "", "", "", needs}), needs = "";
            inside = !inside;
        } else if (inside) {
            if (wanted) parts.back().text += line + "\n";
        } else if (size_t at = line.find("`build/"); at != line.npos && contains(line, ".grad`")) {
            file = line.substr(at + 1, line.find('`', at + 1) - at - 1);
        } else if (std::string words = comment(line, "expect"); !words.empty()) {
            parts.back().expected += words + "\n";
        } else if (std::string folder = comment(line, "needs"); !folder.empty()) {
            needs = folder;
        }
    }
    return parts;
}

bool is_there(const std::string& folder) {
    const char* data = std::getenv("GRADC_DATA");
    return folder.empty() || (data && std::filesystem::exists(std::filesystem::path(data) / folder));
}

void follow(const std::string& page) {
    std::vector<Part> parts = parts_of(tree + "/docs/" + page);
    REQUIRE(parts.size() >= 8);
    Scratch scratch;
    scratch.link_tree(gradc, tree);
    for (const Part& part : parts) {
        INFO(part.text);
        if (!is_there(part.needs)) {
            skip("one step of " + page + " needs the data " + part.needs);
            continue;
        }
        if (!part.file.empty()) {
            scratch.write(part.file, part.text);
            continue;
        }
        Outcome outcome =
            run("set -e\n" + part.text, {.folder = scratch.path().string(), .limit = 600, .joined = true});
        INFO(outcome.out);
        Expected expected = parse_expected("$ all\n" + part.expected);
        REQUIRE(expected.error == "");
        for (const std::string& error : compare(expected.steps.at(0), outcome.out, outcome.code)) FAIL_CHECK(error);
    }
}

} // namespace

TEST_CASE("every command of the tutorial runs and prints the promised words", "[tutorial]") { follow("tutorial.md"); }

TEST_CASE("every command of the page on own data runs and prints the promised words", "[tutorial]") {
    follow("first_model.md");
}
