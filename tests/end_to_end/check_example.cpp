// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// check_example GRADC TREE NAME [RESULTS]: runs the commands of examples/NAME/expected.txt in a scratch folder like the
// root of the tree, and compares their output. Exit code 77 if data are missing; the line that begins with `skipped:`
// names them. Commands marked `full` are left out, unless there is a file RESULTS: it gets a table of bars and numbers.
#include "tests/end_to_end/expectation.h"
#include "tests/end_to_end/process.h"
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using namespace end_to_end;
namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The commands of a README: the lines of its code blocks.
std::vector<std::string> commands_of(const std::string& readme) {
    std::vector<std::string> commands;
    bool inside = false;
    std::istringstream stream(readme);
    for (std::string line; std::getline(stream, line);) {
        if (line.rfind("```", 0) == 0) inside = !inside && line == "```sh";
        else if (inside) commands.push_back(line);
    }
    return commands;
}

/// Every command of the README is run here.
int check_readme(const fs::path& example, const Expected& expected) {
    int failures = 0;
    std::vector<std::string> told = commands_of(text_of(example / "README.md"));
    for (const std::string& command : told) {
        bool run = false;
        for (const Step& step : expected.steps) run |= step.command == command;
        if (!run) std::printf("README.md: `%s` does not stand in expected.txt\n", command.c_str());
        failures += !run;
    }
    if (told.size() < 3) std::printf("README.md: %zu commands, not three\n", told.size());
    return failures + (told.size() < 3);
}

std::string absent_data(const Expected& expected) {
    const char* data = std::getenv("GRADC_DATA");
    for (const std::string& folder : expected.needs) {
        if (!data) return folder + " (GRADC_DATA names no folder)";
        if (!fs::exists(fs::path(data) / folder)) return folder + " in " + data;
    }
    return {};
}

/// A cell of a table in Markdown, where `|` ends one.
std::string cell(std::string text) {
    for (size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) text.insert(at, "\\");
    return "| " + text + " ";
}

/// The rows of the table for one command.
std::string rows_of(const Step& step, const Outcome& outcome) {
    std::string rows;
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.1f", outcome.seconds);
    for (const Comparison& one : compare_lines(step, outcome.out)) {
        if (!one.has_bar()) continue;
        rows += cell("`" + step.command + "`") + cell(one.line) +
                cell((one.error.empty() ? "" : "**missed** ") + one.found) + cell(seconds) + "|\n";
    }
    return rows;
}

int check(const std::string& gradc, const std::string& tree, const std::string& name, const std::string& results) {
    fs::path example = fs::path(tree) / "examples" / name;
    Expected expected = parse_expected(text_of(example / "expected.txt"));
    if (!expected.error.empty()) {
        std::printf("%s: %s\n", (example / "expected.txt").c_str(), expected.error.c_str());
        return 1;
    }
    int failures = check_readme(example, expected);
    if (std::string absent = absent_data(expected); !absent.empty()) {
        std::printf("skipped: example %s needs the data %s\n", name.c_str(), absent.c_str());
        return failures ? 1 : 77;
    }
    Scratch scratch;
    scratch.link_tree(gradc, tree);
    std::string table;
    double limit = results.empty() ? 900 : 24 * 3600;
    for (const Step& step : expected.steps) {
        if (step.full && results.empty()) continue;
        if (!step.condition.empty() && run(step.condition, {.folder = scratch.path().string()}).code != 0) {
            std::printf("skipped: one command of example %s: no `%s`\n", name.c_str(), step.condition.c_str());
            continue;
        }
        std::printf("$ %s\n", step.command.c_str());
        std::fflush(stdout);
        Outcome outcome = run(step.command, {.folder = scratch.path().string(), .limit = limit, .joined = true});
        std::printf("%s(%.1f s)\n", outcome.out.c_str(), outcome.seconds);
        for (const std::string& error : compare(step, outcome.out, outcome.code)) {
            std::printf("FAULT %s\n", error.c_str());
            ++failures;
        }
        std::fflush(stdout);
        table += rows_of(step, outcome);
    }
    if (!results.empty()) std::ofstream(results) << table;
    return failures ? 1 : 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 4 && argc != 5) {
        std::fprintf(stderr, "usage: check_example GRADC TREE NAME [RESULTS]\n");
        return 2;
    }
    return check(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : "");
}
