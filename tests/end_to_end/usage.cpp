// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Both command lines: help, version, wrong usage, exit codes.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <sstream>

using namespace end_to_end;

namespace {

size_t longest_line(const std::string& text) {
    size_t longest = 0;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) longest = std::max(longest, line.size());
    return longest;
}

} // namespace

TEST_CASE("gradc prints its version and its commands", "[usage]") {
    Scratch scratch;
    Outcome version = call(scratch, "--version");
    CHECK(version.code == 0);
    CHECK(version.out.rfind("gradc 0.", 0) == 0);
    for (const char* part : {"language", "ABI", "LLVM", "avx2"}) CHECK(contains(version.out, part));
    Outcome help = call(scratch, "--help");
    CHECK(help.code == 0);
    CHECK(help.err == "");
    CHECK(longest_line(help.out) <= 80);
    for (const char* command :
         {"build", "run", "bench", "check", "grad", "explain", "trajectories", "inspect", "fmt"}) {
        INFO(command);
        CHECK(contains(help.out, command));
        Outcome one = call(scratch, std::string(command) + " --help");
        CHECK(one.code == 0);
        CHECK(longest_line(one.out) <= 80);
        CHECK(contains(one.out, "Example:"));
        CHECK(contains(one.out, std::string("\nUsage: gradc ") + command + " "));
        CHECK(!contains(one.out, "{"));
    }
}

TEST_CASE("wrong usage ends with exit code 2 and suggests the nearest word", "[usage]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    const std::pair<const char*, const char*> cases[] = {
        {"", "gradc"},
        {"biuld m.grad", "build"},
        {"build", "MODEL"},
        {"build m.grad --isa avx3", "avx2"},
        {"build m.grad --ouptut x", "--output"},
        {"build m.grad --set hidden", "NAME=VALUE"},
        {"inspect m.grad --emit=grpah", "graph"},
        {"explain m.grad net.linear_1.wieght", "net.linear_1.weight"},
        {"check m.grad --batch-size zero", "--batch-size"},
        {"bench m.grad --rounds 0", "--rounds"},
        {"bench m.grad --seconds nan", "--seconds"},
        {"bench m.grad --seconds inf", "--seconds"},
        {"bench m.grad --timeout \"\"", "--timeout"},
        {"bench m.grad --threads 99999999999999999999", "--threads"},
        {"build m.grad --max-nodes -5", "--max-nodes"},
        {"build m.grad --max-nodes 0", "--max-nodes"},
        {"build m.grad --max-nodes \"\"", "--max-nodes"},
        {"check m.grad --seed -1", "--seed"},
        {"check m.grad --seed \"\"", "--seed"},
        {"trajectories m.grad --svg a.svg --beside 1.5", "--beside"},
        {"trajectories m.grad --svg a.svg --steps -1", "--steps"},
        {"run", "model"},
    };
    for (const auto& [arguments, told] : cases) {
        INFO(arguments);
        Outcome outcome = call(scratch, arguments);
        CHECK(outcome.code == 2);
        CHECK(outcome.out == "");
        CHECK(contains(outcome.err, told));
    }
}

TEST_CASE("explain lists parameters and explains each of them", "[usage]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    Outcome list = call(scratch, "explain m.grad");
    CHECK(list.code == 0);
    std::istringstream lines(list.out);
    int explained = 0;
    for (std::string line, path; std::getline(lines, line);) {
        if (line.rfind("  ", 0) != 0) continue;
        std::istringstream(line) >> path;
        Outcome one = call(scratch, "explain m.grad " + path);
        INFO(path);
        CHECK(one.code == 0);
        for (const char* section :
             {"\nForward\n", "\nChain rule\n", "\nKept for the backward pass\n", "\nRewrites\n", "\nCode\n"})
            CHECK(contains(one.out, section));
        CHECK(contains(one.out, path));
        ++explained;
    }
    CHECK(explained == 4);
    // The end of a path is enough where no other ends so.
    CHECK(call(scratch, "explain m.grad linear_2.bias").out == call(scratch, "explain m.grad net.linear_2.bias").out);
    Outcome several = call(scratch, "explain m.grad bias");
    CHECK(several.code == 2);
    CHECK(contains(several.err, "which of `net.linear_1.bias`, `net.linear_2.bias`?"));
}

TEST_CASE("options may be before or after the file", "[usage]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    CHECK(call(scratch, "build -o before m.grad").code == 0);
    CHECK(call(scratch, "build m.grad -o after").code == 0);
    CHECK((scratch.read("before") == scratch.read("after")));
    CHECK(scratch.read("before").size() > 100000);
    scratch.write("--odd.grad", small_model);
    CHECK(call(scratch, "build -o odd -- --odd.grad").code == 0);
    CHECK(scratch.read("odd").size() > 100000);
}

TEST_CASE("only terminals get colors", "[usage]") {
    Scratch scratch;
    scratch.write("bad.grad", "model m() -> f32 { return y }\n");
    CHECK(!contains(call(scratch, "check bad.grad").err, "\x1b["));
    CHECK(contains(call(scratch, "check bad.grad --color=always").err, "\x1b["));
    CHECK(!contains(call(scratch, "check bad.grad --color=never").err, "\x1b["));
}

TEST_CASE("a trainer lists its flags and refuses others", "[usage]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    REQUIRE(call(scratch, "build m.grad -o trainer").code == 0);
    Launch launch{.folder = scratch.path().string(), .limit = 60};
    Outcome help = run("./trainer --help", launch);
    CHECK(help.code == 0);
    for (const char* word : {"Trainer of `m`, compiled by", "train", "eval", "info"}) CHECK(contains(help.out, word));
    Outcome flags = run("./trainer train --help", launch);
    CHECK(flags.code == 0);
    for (const char* flag : {"--epochs", "--learning-rate", "--beta1", "--seed", "--threads", "--json"}) {
        INFO(flag);
        CHECK(contains(flags.out, flag));
    }
    Outcome unknown = run("./trainer train --epohcs 3", launch);
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.err, "--epochs"));
    CHECK(run("./trainer trian", launch).code == 2);
    CHECK(run("./trainer train --epochs many", launch).code == 2);
    CHECK(run("./trainer train --batch-size 5", launch).code == 2); // compiled for 4
    Outcome about = run("./trainer info", launch);
    CHECK(about.code == 0);
    CHECK(contains(about.out, "gradc 0."));
}

namespace {

/// The lines of `--time` are these stages, in order, and their sum is at most the total.
void check_stages(const std::string& told, const std::vector<std::string>& stages) {
    std::istringstream lines(told);
    double sum = 0, milliseconds = 0;
    std::string text, unit;
    for (const std::string& stage : stages) {
        REQUIRE((lines >> milliseconds >> unit >> std::ws && std::getline(lines, text)));
        CHECK(text == stage);
        CHECK(unit == "ms");
        sum += milliseconds;
    }
    REQUIRE((lines >> milliseconds >> unit >> std::ws && std::getline(lines, text)));
    CHECK(text == "in all");
    CHECK(sum <= milliseconds + 0.01); // each is rounded
}

} // namespace

TEST_CASE("build --time prints the stages in order and a cache hit", "[usage]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    std::vector<std::string> compiling{"optimize", "plan", "lower", "object", "link", "write"}, stages = compiling;
    stages.insert(stages.begin(), "read and elaborate");
    Outcome timed = call(scratch, "build m.grad --time --no-cache");
    REQUIRE(timed.code == 0);
    check_stages(timed.out, stages);
    stages.insert(stages.begin() + 1, "searched in the cache");
    stages.push_back("kept in the cache");
    Launch launch{.folder = scratch.path().string()};
    std::string command = "XDG_CACHE_HOME=$PWD/cache " + quoted(gradc) + " build m.grad --time";
    check_stages(run(command, launch).out, stages);
    check_stages(run(command, launch).out, {"read and elaborate", "taken from the cache", "write"});
    stages.pop_back();
    check_stages(run("XDG_CACHE_HOME=/dev/null " + quoted(gradc) + " build m.grad --time", launch).out, stages);
}
