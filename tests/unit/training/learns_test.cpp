// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whole train blocks on the evaluator: a network learns xor, metrics over batches equal those over all rows at once,
// flags, two blocks that take turns.
#include "tests/unit/training/simulation.h"
#include <cmath>

using namespace gradc;

namespace {

const char* xor_text = R"(
dataset xor { x: f32[2] = [[0, 0], [0, 1], [1, 0], [1, 1]];  y: f32 = [0, 1, 1, 0] }
model net(x: f32[N, 2]) -> f32[N] {
    param w1: [2, 8] = normal();  param b1: [8] = 0
    param w2: [8] = normal();     param b2 = 0
    h = tanh(x @ w1 + b1)
    return sum(h * w2, axis: -1) + b2
}
train {
    data xor;  batch all;  epochs 600
    e = net(x) - y
    loss mean(e^2)
    optimizer adam(learning_rate: 0.03)
    metric r2 = 1 - sum(e^2) / sum((y - mean(y))^2)
    metric worst = max(abs(e))
    predict net(x)
}
)";

} // namespace

TEST_CASE("a net learns xor on the evaluator") {
    Simulation trainer(xor_text);
    CHECK(trainer.program->blocks[0].batch == 4);
    double loss = 0;
    for (int step = 1; step <= 600; ++step) loss = trainer.step(step, 600, 0, 4);
    CHECK(loss < 0.01);
    const TrainBlock& block = trainer.program->blocks[0];
    auto predicted = trainer.predict(block, 0, 4);
    REQUIRE(predicted.shape == Shape{4});
    CHECK(std::fabs(predicted.values[1] - 1) < 0.2);
    auto at_once = trainer.integer(block.evaluation, 4, 4);
    for (int64_t batch : {1, 3}) {
        auto split = trainer.integer(block.evaluation, 4, batch);
        for (const Metric& metric : block.metrics)
            CHECK(split.at(metric.name).values[0] == Approx(at_once.at(metric.name).values[0]).epsilon(1e-10));
    }
    CHECK(block.metrics.size() == 3);
    CHECK(at_once.at("r2").values[0] > 0.9);
}
