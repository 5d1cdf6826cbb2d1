// Whole networks against another system: the losses that PyTorch computed (tests/gradients/record_losses.py).
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <vector>

using namespace end_to_end;
namespace fs = std::filesystem;

namespace {

std::vector<double> recorded(const fs::path& path) {
    std::ifstream file(path);
    std::vector<double> losses;
    for (double loss; file >> loss;) losses.push_back(loss);
    return losses;
}

/// The training loss of each epoch, from a trainer's JSON.
std::vector<double> trained(const std::string& json) {
    std::vector<double> losses;
    for (size_t at = json.find("\"train\""); at != json.npos; at = json.find("\"train\"", at + 1)) {
        size_t loss = json.find("\"loss\"", at);
        if (loss == json.npos) break;
        losses.push_back(std::strtod(json.c_str() + json.find(':', loss) + 1, nullptr));
    }
    return losses;
}

} // namespace

TEST_CASE("losses equal those recorded from PyTorch", "[recorded]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    size_t models = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(tree + "/tests/gradients/recorded")) {
        if (entry.path().extension() != ".grad") continue;
        INFO(entry.path());
        ++models;
        std::vector<double> expected = recorded(fs::path(entry.path()).replace_extension(".losses"));
        REQUIRE(expected.size() == 20);
        Outcome built = run(quoted(gradc) + " build " + quoted(entry.path().string()) + " -o trainer", launch);
        INFO(built.err);
        REQUIRE(built.code == 0);
        REQUIRE(run("./trainer train --json log.json", launch).code == 0);
        std::vector<double> losses = trained(scratch.read("log.json"));
        REQUIRE(losses.size() == expected.size());
        for (size_t i = 0; i < losses.size(); ++i) {
            INFO("epoch " << i + 1);
            CHECK(std::abs(losses[i] - expected[i]) <= 1e-10 * expected[i]);
        }
        fs::remove(scratch.path() / "trainer");
    }
    CHECK(models >= 4);
}
