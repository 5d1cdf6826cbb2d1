// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each pass from text to text: passes/PASS/CASE.txt has a graph, a line `---`, and the graph that the pass makes of it
// for a batch of 100 rows. With GRADC_ACCEPT=1 the second part is written instead: read the diff before committing it.
#include "compiler/elaborate/library/library.h"
#include "compiler/graph/print.h"
#include "compiler/graph/verify.h"
#include "compiler/optimize/optimize.h"
#include "compiler/training/job.h"
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace gradc;
namespace fs = std::filesystem;

namespace {

const std::string heading = "graph 1\n", line = "---\n";

std::string read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What the pass makes of the graph, without the heading.
std::string after(const Pass& pass, const std::string& before) {
    auto library = load_library();
    std::string error;
    auto graph = parse_graph(heading + before, library->primitives, error);
    INFO(before << error);
    REQUIRE(graph);
    PassContext context{.rules = &library->rules, .batch = 100};
    Graph result = run_pass(pass, *graph, context);
    CHECK(verify(result) == "");
    return print(result).substr(heading.size());
}

void compare(const Pass& pass, const fs::path& path) {
    INFO(path.string());
    std::string text = read(path);
    size_t middle = text.find(line);
    REQUIRE(middle != text.npos);
    std::string before = text.substr(0, middle), found = after(pass, before);
    if (std::getenv("GRADC_ACCEPT")) std::ofstream(path) << before << line << found;
    else CHECK(found == text.substr(middle + line.size()));
}

} // namespace

TEST_CASE("every pass has at least three cases and rewrites them as expected") {
    for (const Pass& pass : pass_table()) {
        std::string name = pass.name;
        if (name.ends_with("_again")) continue;
        fs::path folder = fs::path(GRADC_SOURCE_DIR) / "tests/unit/optimize/passes" / name;
        INFO(folder.string());
        REQUIRE(fs::exists(folder));
        int count = 0;
        for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
            compare(pass, entry.path());
            ++count;
        }
        CHECK(count >= 3);
    }
}
