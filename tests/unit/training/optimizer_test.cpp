// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Optimizer lines apart from their formulas: flags, counters, states. tests/optimizers compares the library's formulas
// with recorded numbers.
#include "tests/unit/training/simulation.h"
#include <cmath>

using namespace gradc;

namespace {

using Numbers = std::vector<double>;

/// Two parameters, u of 3 and v of 2, and a loss that mixes them: sum (a u^4 / 4 + u v0) + sum (v^2
/// b) + row mean of x u0.
struct Problem {
    static constexpr const char* text = R"(
dataset d { x: f32 = [0.5, -1, 2, 0.25, 1, -0.75] }
model net(x: f32[N]) -> f32 {
    param u: [3] = [0.4, -0.7, 1.1]
    param v: [2] = [0.3, -0.2]
    return sum(u^4) / 4 + sum(u) * v[0] + 1.5 * sum(v^2) + mean(x) * u[0] * v[1]
}
)";
    /// On the first two rows.
    static Numbers gradient(const Numbers& w) {
        const double m = (0.5 - 1) / 2;
        Numbers g(5);
        for (size_t i = 0; i < 3; ++i) g[i] = w[i] * w[i] * w[i] + w[3];
        g[0] += m * w[4];
        g[3] = w[0] + w[1] + w[2] + 3 * w[3];
        g[4] = 3 * w[4] + m * w[0];
        return g;
    }
    static Numbers start() { return {0.4, -0.7, 1.1, 0.3, -0.2}; }
};

} // namespace

TEST_CASE("a random search never raises the loss and keeps its best weights") {
    Simulation trainer(std::string(Problem::text) +
                       "train { data d;  batch 6;  loss net(x);  optimizer search(size: 0.2) }");
    double before = INFINITY, first = 0;
    for (int step = 1; step <= 60; ++step) {
        double loss = trainer.step(step, 60, 0, 6);
        CHECK(loss <= before + 1e-12);
        if (step == 1) first = loss;
        before = loss;
    }
    CHECK(before < first - 0.1);
}

TEST_CASE("settings, also those of schedules, are flags that are read at run time") {
    Simulation trainer(std::string(Problem::text) + R"(
train artist {
    data d;  batch 2;  loss net(x)
    optimizer clip_by_global_norm(adam(learning_rate: cosine(step / steps, peak: 1e-2), beta2: 0.99), max_norm: 3)
})");
    const TrainBlock& block = trainer.program->blocks[0];
    auto flag = [&](const std::string& name) {
        for (const Flag& each : block.flags)
            if (each.name == name) return each;
        FAIL("no flag " << name);
        return Flag{};
    };
    CHECK(flag("peak").value == 1e-2);
    CHECK(flag("end").value == 0);
    CHECK(flag("warmup").value == 0);
    CHECK(flag("beta1").value == 0.9);
    CHECK(flag("beta2").value == 0.99);
    CHECK(flag("max-norm").full == "artist.max-norm");
    CHECK(flag("peak").full == "artist.learning-rate");
    trainer.scalars[flag("peak").input] = 0;
    auto before = trainer.values("net.u");
    trainer.step(1, 10, 0, 2);
    CHECK(trainer.values("net.u") == before);
    trainer.scalars[flag("peak").input] = 0.5;
    trainer.step(2, 10, 0, 2);
    CHECK(trainer.values("net.u") != before);
}

TEST_CASE("the number that sets the rate is the flag --learning-rate under any name") {
    const char* own = "optimizer mine(eta = 0.1, share = 0.5) { w <- w - eta * share * g }\n"
                      "fn falling(share = step / steps, peak) = peak * (1 - share)\n";
    struct Row {
        const char *line, *name, *full;
    };
    for (const Row& row : {Row{"sgd()", "learning-rate", "train.learning-rate"},
                           Row{"adam(3e-4)", "learning-rate", "train.learning-rate"},
                           Row{"adam(learning_rate: cosine(warmup: 0.1, peak: 1e-2))", "peak", "train.learning-rate"},
                           Row{"lookahead(sgd(learning_rate: constant(0.1)))", "rate", "train.learning-rate"},
                           Row{"momentum(learning_rate: step(step / steps, 0.1))", "peak", "train.learning-rate"},
                           Row{"ranger()", "learning-rate", "train.learning-rate"},
                           Row{"mine(falling(peak: 0.1))", "peak", "train.learning-rate"},
                           Row{"mine()", "eta", "train.learning-rate"}}) {
        Simulation trainer(std::string(Problem::text) + own + "train { data d;  batch 2;  loss net(x);  optimizer " +
                           row.line + " }\n");
        INFO(row.line);
        int count = 0;
        for (const Flag& each : trainer.program->blocks[0].flags) {
            if (each.full != row.full) continue;
            CHECK(each.name == row.name);
            ++count;
        }
        CHECK(count == 1);
    }
}

TEST_CASE("a state starts from its optimizer's number, which is a flag") {
    Simulation trainer(std::string(Problem::text) + R"(
optimizer fading(rate = 0.5, start = 3) { state v = start / 2;  v <- v / 2;  w <- w - rate * v * g }
train { data d;  batch 2;  loss net(x);  optimizer fading(start: 8) })");
    CHECK(trainer.values("train.fading.v/net.u") == Numbers{4, 4, 4});
    Numbers g = Problem::gradient(Problem::start());
    trainer.step(1, 2, 0, 2);
    CHECK(trainer.values("train.fading.v/net.u") == Numbers{2, 2, 2});
    CHECK(trainer.values("net.u")[1] == Approx(-0.7 - 0.5 * 2 * g[1]));
    bool reads = false;
    for (uint32_t i = 0; i < trainer.program->initial.size(); ++i)
        if (auto input = std::get_if<Input>(&trainer.program->initial[NodeId(i)].attributes))
            reads = reads || input->name == "train.start";
    CHECK(reads);
}

TEST_CASE("an optimizer under a condition counts its own runs, one counter for parameters that run "
          "alike") {
    auto counters = [](const Simulation& trainer) {
        std::vector<std::string> paths;
        for (const Variable& variable : trainer.program->variables)
            if (variable.role == Variable::Role::optimizer && variable.path.find(".t") != std::string::npos)
                paths.push_back(variable.path);
        return paths;
    };
    auto program = [](const std::string& optimizers, const std::string& line) {
        return std::string(Problem::text) + optimizers + "train { data d;  batch 2;  loss net(x);  optimizer " + line +
               " }";
    };
    Simulation alike(program("", "gradient_accumulation(adam(learning_rate: 0.1), steps: 2)"));
    CHECK(counters(alike) == std::vector<std::string>{"train.gradient_accumulation.adam.t"});
    for (int step = 1; step <= 5; ++step) alike.step(step, 5, 0, 2);
    CHECK(alike.values("train.gradient_accumulation.adam.t")[0] == 2);

    const char* climbing = "optimizer climbing(inner) { if sum(g) > 0 { inner } }\n";
    Simulation apart(program(climbing, "climbing(adam(learning_rate: 0.1))"));
    apart.step(1, 2, 0, 2);
    Numbers g = Problem::gradient(Problem::start());
    CHECK(apart.values("train.climbing.adam.t/net.u")[0] == (g[0] + g[1] + g[2] > 0));
    CHECK(apart.values("train.climbing.adam.t/net.v")[0] == (g[3] + g[4] > 0));
    CHECK((apart.values("net.u")[0] != 0.4) == (g[0] + g[1] + g[2] > 0));
    CHECK((apart.values("train.climbing.adam.m/net.v")[0] != 0) == (g[3] + g[4] > 0));
}
