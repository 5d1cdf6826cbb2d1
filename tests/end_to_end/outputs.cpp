// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Models with several results, whose loss is a weighted sum: each part is learned, reported and predicted.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <sstream>

using namespace end_to_end;

namespace {

/// A model of the folder `outputs`, trained for ten epochs.
struct Trained {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    const std::string data = " --data-dir " + quoted(tree + "/examples/digits");

    explicit Trained(const std::string& model) {
        std::string file = quoted(tree + "/tests/end_to_end/outputs/" + model);
        for (const std::string& command :
             {quoted(gradc) + " build " + file + " -o trainer" + data, quoted(gradc) + " check " + file + data,
              "./trainer train --checkpoint c --json log" + data}) {
            Outcome outcome = run(command, launch);
            INFO(outcome.out << outcome.err);
            REQUIRE(outcome.code == 0);
        }
    }
    /// After the last epoch, on the test split.
    double metric(const std::string& name) const { return std::stod(json_value(scratch.read("log"), name)); }
    /// The numbers of the first predicted row.
    std::vector<double> predicted() const {
        std::istringstream lines(run("./trainer predict --checkpoint c" + data, launch).out);
        std::string header, line, cell;
        std::getline(lines, header);
        std::getline(lines, line);
        std::vector<double> result;
        for (std::istringstream cells(line); std::getline(cells, cell, ',');) result.push_back(std::stod(cell));
        return result;
    }
};

} // namespace

TEST_CASE("a classifier and a regression share a trunk", "[outputs]") {
    Trained model("two_tasks.grad");
    CHECK(model.metric("accuracy") > 0.9);
    CHECK(model.metric("rmse") < 0.05);
    std::vector<double> row = model.predicted();
    REQUIRE(row.size() == 11);
    double sum = 0;
    for (int i = 0; i < 10; ++i) sum += row[size_t(i)];
    CHECK(sum == Approx(1));
    CHECK((row[10] > 0.2 && row[10] < 0.5));
}

TEST_CASE("an autoencoder has a classifier on its code", "[outputs]") {
    Trained model("autoencoder_with_head.grad");
    CHECK(model.metric("accuracy") > 0.9);
    CHECK(model.metric("rebuilt") < 0.04);
    CHECK(model.metric("loss") == Approx(model.metric("named") + 5 * model.metric("rebuilt")).epsilon(1e-5));
    CHECK(model.predicted().size() == 1);
}

TEST_CASE("every layer has a classifier of its own", "[outputs]") {
    Trained model("deep_supervision.grad");
    for (const char* name : {"accuracy", "accuracy_2", "accuracy_3"}) CHECK(model.metric(name) > 0.9);
    CHECK(model.predicted().size() == 3);
}
