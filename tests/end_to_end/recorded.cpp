// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whole networks compared with another system: the losses that PyTorch computed (tests/gradients/record_losses.py).
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <sstream>
#include <vector>

using namespace end_to_end;
namespace fs = std::filesystem;

namespace {

/// Column `number` of the lines that have it.
std::vector<double> recorded(const fs::path& path, int number) {
    std::ifstream file(path);
    std::vector<double> losses;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        double loss;
        int count = -1;
        while (count < number && words >> loss) ++count;
        if (count == number) losses.push_back(loss);
    }
    return losses;
}

/// The loss of each epoch on "train" or "test", from a trainer's JSON.
std::vector<double> trained(const std::string& json, const std::string& split) {
    std::vector<double> losses;
    const std::string key = "\"" + split + "\"";
    for (size_t at = json.find(key); at != json.npos; at = json.find(key, at + 1)) {
        size_t loss = json.find("\"loss\"", at);
        if (loss == json.npos) break;
        losses.push_back(std::strtod(json.c_str() + json.find(':', loss) + 1, nullptr));
    }
    return losses;
}

void compare(const std::vector<double>& losses, const std::vector<double>& expected) {
    REQUIRE(losses.size() == expected.size());
    for (size_t i = 0; i < losses.size(); ++i) {
        INFO("epoch " << i + 1);
        CHECK(std::abs(losses[i] - expected[i]) <= 1e-10 * expected[i]);
    }
}

} // namespace

TEST_CASE("losses equal those recorded from PyTorch", "[recorded]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    size_t models = 0, split_models = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(tree + "/tests/gradients/recorded")) {
        if (entry.path().extension() != ".grad") continue;
        INFO(entry.path());
        ++models;
        fs::path beside = fs::path(entry.path()).replace_extension(".losses");
        REQUIRE(recorded(beside, 0).size() == 20);
        Outcome built =
            run(quoted(gradc) + " build --dtype f64 " + quoted(entry.path().string()) + " -o trainer", launch);
        INFO(built.err);
        REQUIRE(built.code == 0);
        REQUIRE(run("./trainer train --json log.json", launch).code == 0);
        compare(trained(scratch.read("log.json"), "train"), recorded(beside, 0));
        std::vector<double> test = recorded(beside, 1);
        if (!test.empty()) compare(trained(scratch.read("log.json"), "test"), test);
        split_models += !test.empty();
        fs::remove(scratch.path() / "trainer");
    }
    CHECK(models >= 5);
    CHECK(split_models >= 1);
}
