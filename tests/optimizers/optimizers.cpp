// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The library's optimizers compared with recorded numbers (record.py, record_published.py): twenty steps in double, by the
// evaluator and by the compiled step. The test lists the library, so that none is left out.
#include "tests/optimizers/run.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <sstream>

using namespace gradc;

namespace {

struct Recording {
    std::string file, line; // the model, and the text after `optimizer`
    std::vector<std::vector<double>> steps;
};

std::vector<Recording> recordings() {
    std::vector<Recording> result;
    std::istringstream lines(recorded_text("recorded.txt") + recorded_text("recorded_published.txt"));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string first;
        if (line.rfind("optimizer ", 0) == 0) {
            Recording& fresh = result.emplace_back();
            words >> first >> fresh.file >> std::ws;
            std::getline(words, fresh.line);
            continue;
        }
        auto& numbers = result.back().steps.emplace_back();
        for (double number; words >> number;) numbers.push_back(number);
    }
    return result;
}

std::string program(const Recording& recording, const std::string& optimizers = "") {
    return recorded_text(recording.file + ".grad") + optimizers +
           fmt::format("train {{ data d; batch 2; order file; epochs 7; loss net(x); optimizer {} }}\n",
                       recording.line);
}

std::vector<std::string> parameters(const Recording& recording) {
    if (recording.file == "single") return {"net.z"};
    if (recording.file == "matrix") return {"net.a", "net.b"};
    return {"net.u", "net.v"};
}

void check_step(const std::vector<double>& got, const std::vector<double>& want, const char* who) {
    REQUIRE(got.size() == want.size());
    for (size_t i = 0; i < got.size(); ++i) {
        INFO(who << ", number " << i << ": " << got[i] << " is not " << want[i]);
        REQUIRE(std::abs(got[i] - want[i]) <= 1e-9 * std::max(1.0, std::abs(want[i])));
    }
}

std::vector<const ast::Function*> library_optimizers() {
    static const ast::Module files[] = {library_module("std/optimizers.grad"),
                                        library_module("std/optimizers_matrix.grad")};
    std::vector<const ast::Function*> result;
    for (const ast::Module& file : files)
        for (const ast::Function* function : library_functions(file)) result.push_back(function);
    return result;
}

bool constant_choice(const ast::Parameter& parameter) {
    return parameter.type && parameter.type->constant && parameter.type->dtype == "bool";
}

} // namespace

TEST_CASE("optimizers give the recorded numbers, evaluated and compiled") {
    for (const Recording& recording : recordings()) {
        INFO(recording.line);
        REQUIRE(recording.steps.size() == 20);
        StepRun run(program(recording));
        bool moved = false;
        for (size_t i = 0; i < recording.steps.size(); ++i) {
            INFO("step " << i + 1);
            run.step(int(i + 1), int(recording.steps.size()));
            check_step(run.evaluated(parameters(recording)), recording.steps[i], "evaluated");
            check_step(run.compiled(parameters(recording)), recording.steps[i], "compiled");
            moved = moved || recording.steps[i] != recording.steps[0];
        }
        CHECK(moved);
    }
}

TEST_CASE("every optimizer of the library has recorded numbers, and each of its forms") {
    std::set<std::string> recorded; // names that head a line, and "name setting: true"
    for (const Recording& recording : recordings()) {
        std::string name = recording.line.substr(0, recording.line.find('('));
        recorded.insert(name);
        std::string settings = recording.line.substr(name.size());
        for (size_t at = settings.find(": "); at != settings.npos; at = settings.find(": ", at + 1)) {
            size_t word = settings.find_last_of(" (", at - 1) + 1, end = settings.find_first_of(",)", at);
            recorded.insert(name + " " + settings.substr(word, end - word));
        }
    }
    size_t count = 0;
    for (const ast::Function* function : library_optimizers()) {
        INFO(function->name << " needs a line in tests/optimizers/record.py");
        CHECK(recorded.count(function->name));
        ++count;
        for (const ast::Parameter& parameter : function->parameters) {
            if (!constant_choice(parameter)) continue;
            auto by_default = std::get_if<ast::Name>(&parameter.initial->node);
            REQUIRE(by_default);
            std::string other = by_default->name == "true" ? "false" : "true";
            INFO(parameter.name << ": " << other);
            CHECK(recorded.count(fmt::format("{} {}: {}", function->name, parameter.name, other)));
        }
    }
    CHECK(count > 20);
}

TEST_CASE("the example's table has every optimizer of the library except newton") {
    std::string table = recorded_text("../../examples/optimizers/optimizers.txt");
    for (const ast::Function* function : library_optimizers()) {
        INFO(function->name);
        CHECK((table.find(" " + function->name + "(") != table.npos) == (function->name != "newton"));
    }
}

TEST_CASE("an optimizer of the model file is compiled like the library's") {
    Recording own{"mixed", "mine(rate: 0.1)", {}}, library{"mixed", "adam(learning_rate: 0.1)", {}};
    StepRun mine(program(own, R"(
optimizer mine(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
    state m = 0
    m <- beta1 * m + (1 - beta1) * g
    state v = 0
    v <- beta2 * v + (1 - beta2) * g^2
    w <- w - rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
}
)"));
    StepRun given(program(library));
    REQUIRE(mine.program().kernels.size() == given.program().kernels.size());
    for (size_t i = 0; i < mine.program().kernels.size(); ++i)
        CHECK(mine.program().kernels[i].types == given.program().kernels[i].types);
    for (int i = 1; i <= 20; ++i) {
        mine.step(i, 20), given.step(i, 20);
        REQUIRE(mine.compiled(parameters(own)) == given.compiled(parameters(own)));
    }
}
