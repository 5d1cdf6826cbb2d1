// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The library's schedules compared with recorded rates (record.py) at ten points of a run, by the evaluator and by the
// compiled step.
#include "tests/optimizers/run.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <sstream>

using namespace gradc;

namespace {

struct Recording {
    std::string line;
    std::vector<double> rates;
};

std::vector<Recording> recordings() {
    std::vector<Recording> result;
    std::istringstream lines(recorded_text("schedules.txt"));
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("schedule ", 0) == 0) {
            result.push_back({line.substr(9), {}});
            continue;
        }
        std::istringstream words(line);
        for (double number; words >> number;) result.back().rates.push_back(number);
    }
    return result;
}

/// Its parameter is the rate of the step.
std::string program(const std::string& schedule) {
    return fmt::format("dataset d {{ x: f64 = [1, 2] }}\n"
                       "model net(x: f64[N]) -> f64 {{ param p: f64 = 0;  return p * mean(x) }}\n"
                       "optimizer shown(learning_rate) {{ w <- learning_rate + 0 * g }}\n"
                       "train {{ data d; batch 2; epochs 10; loss net(x); optimizer shown({}) }}\n",
                       schedule);
}

} // namespace

TEST_CASE("schedules give the recorded rates, evaluated and compiled") {
    for (const Recording& recording : recordings()) {
        INFO(recording.line);
        REQUIRE(recording.rates.size() == 10);
        StepRun run(program(recording.line));
        for (size_t i = 0; i < recording.rates.size(); ++i) {
            INFO("step " << i + 1);
            run.step(int(i + 1), int(recording.rates.size()));
            double want = recording.rates[i];
            CHECK(std::abs(run.evaluated({"net.p"})[0] - want) <= 1e-9 * want);
            CHECK(std::abs(run.compiled({"net.p"})[0] - want) <= 1e-9 * want);
        }
    }
}

TEST_CASE("every schedule of the library has recorded rates") {
    std::set<std::string> recorded;
    for (const Recording& recording : recordings()) recorded.insert(recording.line.substr(0, recording.line.find('(')));
    ast::Module library = library_module("std/schedules.grad");
    for (const ast::Function* function : library_functions(library)) {
        INFO(function->name << " needs a line in tests/optimizers/record.py");
        bool part = function->name.starts_with('_'); // of schedules
        CHECK(recorded.count(function->name) + part == 1);
    }
}

TEST_CASE("the numbers of a schedule are flags") {
    StepRun run(program("one_cycle(step / steps, peak: 0.5)"));
    std::vector<std::string> names;
    for (const Flag& flag : run.job().blocks[0].flags) names.push_back(flag.full);
    CHECK(names == std::vector<std::string>{"train.learning-rate", "train.pct-start", "train.div-factor",
                                            "train.final-div-factor"});
}
