// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `landscape` of compiled models: a loss of known shape, and which parameters move.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

using namespace end_to_end;

namespace {

/// The losses of a 5 x 5 grid, after a training of the model.
std::vector<double> losses_of(const Scratch& scratch, const std::string& model, const std::string& flags = "") {
    scratch.write("m.grad", model);
    Launch launch{.folder = scratch.path().string(), .limit = 120, .joined = true};
    Outcome outcome = run(quoted(gradc) +
                              " build m.grad -o trainer && ./trainer train --overwrite --checkpoint w && "
                              "./trainer landscape --checkpoint w --grid 5 --csv l.csv " +
                              flags,
                          launch);
    INFO(outcome.out);
    REQUIRE(outcome.code == 0);
    std::vector<double> losses;
    std::istringstream lines(scratch.read("l.csv"));
    for (std::string line; std::getline(lines, line);)
        if (line != "a,b,loss") losses.push_back(std::stod(line.substr(line.rfind(',') + 1)));
    REQUIRE(losses.size() == 25);
    return losses;
}

const char* lines = R"(dataset rows {
    row: int < 40 = range(40)
    x: f64[3] = uniform(-1, 1, shape: [3])
    y = sum(x)
}
model net(x: f64[N, 3]) -> f64[N] {
    param weight: [3, 2] = normal()
    param bias: [2] = 1
    return sum(x @ weight + bias, axis: 1)
}
train { data rows;  batch 8;  epochs 2;  loss mse(net(x), y);  optimizer sgd(learning_rate: 0.01) }
)";

} // namespace

TEST_CASE("the landscape of a quadratic loss is a quadratic function", "[landscape]") {
    Scratch scratch;
    std::vector<double> l = losses_of(scratch, replaced(lines, "f64[", "f64["), "--seed 3");
    auto at = [&](int a, int b) { return l[size_t(5 * b + a)]; };
    for (int i = 0; i < 5; ++i) {
        for (int j = 1; j < 4; ++j) {
            double along = at(j - 1, i) - 2 * at(j, i) + at(j + 1, i),
                   across = at(i, j - 1) - 2 * at(i, j) + at(i, j + 1);
            CHECK(along == Approx(at(0, 0) - 2 * at(1, 0) + at(2, 0)).epsilon(1e-5));
            CHECK(across == Approx(at(0, 0) - 2 * at(0, 1) + at(0, 2)).epsilon(1e-5));
            CHECK(along > 0);
            CHECK(across > 0);
        }
    }
}

TEST_CASE("frozen weights move too; biases only where there is nothing else; states stay", "[landscape]") {
    Scratch scratch;
    auto varies = [](const std::vector<double>& losses) { return losses[0] != losses[12] && losses[2] != losses[12]; };
    std::string frozen = replaced(lines, "optimizer sgd", "freeze net.weight;  optimizer sgd");
    CHECK(varies(losses_of(scratch, frozen)));
    std::string bias = replaced(lines, "x @ weight + bias, axis: 1)", "bias * x[:, :2], axis: 1)");
    bias = replaced(bias, "    param weight: [3, 2] = normal()\n", "");
    CHECK(varies(losses_of(scratch, bias)));
    // Unused weights move, and the bias stays.
    std::string unused = replaced(lines, "x @ weight + bias", "x @ (0 * weight) + bias");
    CHECK_FALSE(varies(losses_of(scratch, unused)));
    // The running averages of the checkpoint are used as they are, so the loss of an evaluation is in the middle.
    std::string averages =
        replaced(lines, "sum(x @ weight + bias, axis: 1)", "sum(batch_norm(x @ weight + bias), axis: 1)");
    std::vector<double> losses = losses_of(scratch, averages);
    CHECK(varies(losses));
    Outcome eval = run("./trainer eval --checkpoint w", {.folder = scratch.path().string(), .limit = 60});
    size_t found = eval.out.find(" loss ");
    REQUIRE(found != std::string::npos);
    CHECK(losses[12] == Approx(std::stod(eval.out.substr(found + 6))).epsilon(1e-3));
}
