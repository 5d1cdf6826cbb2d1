// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// First steps that are short enough to work by hand, of optimizers that PyTorch lacks. The loss is |z|^2 / 2 at z = [3, -4]:
// the gradient is z, its norm 5, the Hessian 1.
#include "tests/optimizers/run.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <fmt/format.h>

using namespace gradc;

namespace {

struct Worked {
    const char* line;
    std::vector<double> last; // after as many steps as `steps`
    int steps = 1;
};

const Worked worked[] = {
    // m / (1 - 1/2) = z and v / (1 - 3/4) = z^2, so the step is z / (|z| + 1) = [3/4, -4/5]
    {"yogi(learning_rate: 0.1, beta1: 0.5, beta2: 0.75, eps: 1, initial_accumulator: 0)", {2.925, -3.92}},
    // the same, for there is no change of the gradient yet; then both are divided by 1 + 0.1
    {"adan(learning_rate: 0.1, eps: 1, weight_decay: 1)", {2.925 / 1.1, -3.92 / 1.1}},
    // d = z / |z| by element = [1, -1] has the norm sqrt(2), so the rate is 0.1 * 5 / sqrt(2)
    {"lamb(learning_rate: 0.1, eps: 0)", {3 - 0.5 / std::sqrt(2.0), -4 + 0.5 / std::sqrt(2.0)}},
    // |w| = |g| = 5, so w loses 0.1 of itself; then v = 0.9 [0.3, -0.4] + 0.1 [2.7, -3.6] = [0.54, -0.72]
    {"lars(learning_rate: 1, trust_coefficient: 0.1)", {2.7, -3.6}},
    {"lars(learning_rate: 1, trust_coefficient: 0.1)", {2.16, -2.88}, 2},
    // z = [1.5, -2] is w too; then z = [0.75, -1], and w the mean of both
    {"schedule_free_sgd(learning_rate: 0.5)", {1.5, -2}},
    {"schedule_free_sgd(learning_rate: 0.5)", {1.125, -1.5}, 2},
    // z = [3 - 0.5 * 3/4, -4 + 0.5 * 4/5]
    {"schedule_free_adamw(learning_rate: 0.5, eps: 1)", {2.625, -3.6}},
    // fast = z / 2, z / 4, z / 8; w is fast after the first step, then half of itself and half of fast
    {"ema(sgd(learning_rate: 0.5), decay: 0.5)", {1.5, -2}},
    {"ema(sgd(learning_rate: 0.5), decay: 0.5)", {1.125, -1.5}, 2},
    {"ema(sgd(learning_rate: 0.5), decay: 0.5)", {0.75, -1}, 3},
    // h = 1 whatever the signs, so the step is z / (1 + 1)
    {"adahessian(learning_rate: 0.1, eps: 1)", {2.85, -3.8}},
    // m = 0.035 z = [0.105, -0.14] over eps = 0.28 is [0.375, -0.5]; over 0.1 both are clipped to 1
    {"sophia(learning_rate: 0.1, gamma: 0, eps: 0.28, weight_decay: 0)", {2.9625, -3.95}},
    {"sophia(learning_rate: 0.1, gamma: 0, eps: 0.1, weight_decay: 0.5)", {2.75, -3.7}},
    // (z z' + 11)^(-1/2) z = z / sqrt(25 + 11); diagonal: [3 / sqrt(16 + 9), -4 / sqrt(16 + 16)]
    {"shampoo(learning_rate: 1, eps: 11)", {2.5, -4 + 4 / 6.0}},
    {"shampoo(learning_rate: 1, eps: 16, diagonal: true)", {2.4, -4 + 4 / std::sqrt(32.0)}},
};

} // namespace

TEST_CASE("first steps of optimizers are those that are worked by hand") {
    for (const Worked& each : worked) {
        INFO(each.line << ", step " << each.steps);
        StepRun run(
            "dataset d { x: f64 = [0, 0, 0, 0, 0, 0] }\n"
            "model net(x: f64[N]) -> f64 { param z: f64[2] = [3, -4]\n return sum(z^2) / 2 + mean(x) }\n" +
            fmt::format("train {{ data d; batch 2; order file; epochs 7; loss net(x); optimizer {} }}\n", each.line));
        for (int step = 1; step <= each.steps; ++step) run.step(step, 20);
        for (const auto& found : {run.evaluated({"net.z"}), run.compiled({"net.z"})})
            for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(each.last[i]).epsilon(1e-12));
    }
}
