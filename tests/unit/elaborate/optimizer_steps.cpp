// Optimizers of the library over several steps, against plain transcriptions of their papers in
// double.
#include "tests/unit/elaborate/train_simulation.h"
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
    static constexpr int rows_of[3][2] = {{0, 2}, {2, 4}, {4, 6}};

    static double mean_x(int step) {
        const double x[] = {0.5, -1, 2, 0.25, 1, -0.75};
        const int* r = rows_of[(step - 1) % 3];
        return (x[r[0]] + x[r[1] - 1]) / 2;
    }
    static double loss(const Numbers& w, int step) {
        double s = 0;
        for (int i = 0; i < 3; ++i) s += std::pow(w[size_t(i)], 4) / 4 + w[size_t(i)] * w[3];
        return s + 1.5 * (w[3] * w[3] + w[4] * w[4]) + mean_x(step) * w[0] * w[4];
    }
    static Numbers gradient(const Numbers& w, int step) {
        double m = mean_x(step);
        Numbers g(5);
        for (size_t i = 0; i < 3; ++i) g[i] = w[i] * w[i] * w[i] + w[3];
        g[0] += m * w[4];
        g[3] = w[0] + w[1] + w[2] + 3 * w[3];
        g[4] = 3 * w[4] + m * w[0];
        return g;
    }
    static Numbers start() { return {0.4, -0.7, 1.1, 0.3, -0.2}; }
};

double norm(const Numbers& g) {
    double s = 0;
    for (double each : g) s += each * each;
    return std::sqrt(s);
}

/// One update rule: w, its gradient, how often it ran (from 1), the number of the step.
struct Rule {
    virtual ~Rule() = default;
    virtual void run(Numbers& w, Numbers g, int t, int step) = 0;
};

struct Adam : Rule {
    double rate = 0.1, decay = 0;
    Numbers m = Numbers(5), v = Numbers(5);
    explicit Adam(double rate, double decay = 0) : rate(rate), decay(decay) {}
    void run(Numbers& w, Numbers g, int t, int) override {
        for (size_t i = 0; i < 5; ++i) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            double update =
                m[i] / (1 - std::pow(0.9, t)) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
            w[i] -= rate * decay * w[i] + rate * update;
        }
    }
};
struct Sgd : Rule {
    void run(Numbers& w, Numbers g, int, int) override {
        for (size_t i = 0; i < 5; ++i) w[i] -= 0.05 * g[i];
    }
};
struct Momentum : Rule {
    bool nesterov;
    Numbers v = Numbers(5);
    explicit Momentum(bool nesterov) : nesterov(nesterov) {}
    void run(Numbers& w, Numbers g, int, int step) override {
        if (nesterov) {
            Numbers ahead = w;
            for (size_t i = 0; i < 5; ++i) ahead[i] += 0.9 * v[i];
            g = Problem::gradient(ahead, step);
        }
        for (size_t i = 0; i < 5; ++i) v[i] = 0.9 * v[i] - 0.02 * g[i], w[i] += v[i];
    }
};
struct Radam : Rule {
    Numbers m = Numbers(5), v = Numbers(5);
    void run(Numbers& w, Numbers g, int t, int) override {
        double top = 2 / (1 - 0.999) - 1, b2 = std::pow(0.999, t),
               rho = top - 2 * t * b2 / (1 - b2);
        for (size_t i = 0; i < 5; ++i) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            double d = m[i] / (1 - std::pow(0.9, t));
            if (rho > 5) {
                double r = std::sqrt((rho - 4) * (rho - 2) * top / ((top - 4) * (top - 2) * rho));
                d *= r / (std::sqrt(v[i] / (1 - b2)) + 1e-8);
            }
            w[i] -= 0.03 * d;
        }
    }
};
struct Lookahead : Rule {
    std::unique_ptr<Rule> inner;
    int k;
    Numbers slow = Problem::start();
    Lookahead(std::unique_ptr<Rule> inner, int k) : inner(std::move(inner)), k(k) {}
    void run(Numbers& w, Numbers g, int t, int step) override {
        inner->run(w, g, t, step);
        if (t % k) return;
        for (size_t i = 0; i < 5; ++i) w[i] = slow[i] += 0.5 * (w[i] - slow[i]);
    }
};
struct Accumulate : Rule {
    std::unique_ptr<Rule> inner;
    int k, runs = 0;
    Numbers a = Numbers(5);
    Accumulate(std::unique_ptr<Rule> inner, int k) : inner(std::move(inner)), k(k) {}
    void run(Numbers& w, Numbers g, int t, int step) override {
        for (size_t i = 0; i < 5; ++i) a[i] += g[i] / k;
        if (t % k) return;
        inner->run(w, a, ++runs, step);
        a = Numbers(5);
    }
};
struct Clip : Rule {
    std::unique_ptr<Rule> inner;
    explicit Clip(std::unique_ptr<Rule> inner) : inner(std::move(inner)) {}
    void run(Numbers& w, Numbers g, int t, int step) override {
        double factor = std::min(1.0, 0.5 / norm(g));
        for (double& each : g) each *= factor;
        inner->run(w, g, t, step);
    }
};
struct Sam : Rule {
    std::unique_ptr<Rule> inner;
    explicit Sam(std::unique_ptr<Rule> inner) : inner(std::move(inner)) {}
    void run(Numbers& w, Numbers g, int t, int step) override {
        Numbers near = w;
        for (size_t i = 0; i < 5; ++i) near[i] += 0.05 * g[i] / (norm(g) + 1e-12);
        inner->run(w, Problem::gradient(near, step), t, step);
    }
};
struct Madgrad : Rule {
    Numbers s = Numbers(5), q = Numbers(5);
    void run(Numbers& w, Numbers g, int t, int) override {
        double l = 0.01 * std::sqrt(t);
        for (size_t i = 0; i < 5; ++i) {
            s[i] += l * g[i], q[i] += l * g[i] * g[i];
            w[i] =
                0.9 * w[i] + 0.1 * (Problem::start()[i] - s[i] / (std::pow(q[i], 1.0 / 3) + 1e-6));
        }
    }
};
struct Novograd : Rule {
    double v[2] = {0, 0};
    Numbers m = Numbers(5);
    void run(Numbers& w, Numbers g, int t, int) override {
        for (int part = 0; part < 2; ++part) {
            size_t from = part ? 3 : 0, to = part ? 5 : 3;
            double square = 0;
            for (size_t i = from; i < to; ++i) square += g[i] * g[i];
            v[part] = t == 1 ? square : 0.98 * v[part] + 0.02 * square;
            for (size_t i = from; i < to; ++i) {
                m[i] = 0.95 * m[i] + g[i] / (std::sqrt(v[part]) + 1e-8);
                w[i] -= 0.02 * m[i];
            }
        }
    }
};

std::unique_ptr<Rule> adam(double rate, double decay = 0) {
    return std::make_unique<Adam>(rate, decay);
}

struct Case {
    const char* line;
    std::function<std::unique_ptr<Rule>()> rule;
};

} // namespace

TEST_CASE("optimizers move as their papers say") {
    const Case cases[] = {
        {"sgd(rate: 0.05)", [] { return std::make_unique<Sgd>(); }},
        {"adam(rate: 0.1)", [] { return adam(0.1); }},
        {"adamw(rate: 0.1, decay: 0.2)", [] { return adam(0.1, 0.2); }},
        {"momentum(rate: 0.02)", [] { return std::make_unique<Momentum>(false); }},
        {"nesterov(rate: 0.02)", [] { return std::make_unique<Momentum>(true); }},
        {"radam(0.03)", [] { return std::make_unique<Radam>(); }},
        {"madgrad(0.01)", [] { return std::make_unique<Madgrad>(); }},
        {"novograd(rate: 0.02)", [] { return std::make_unique<Novograd>(); }},
        {"lookahead(adam(rate: 0.1), k: 4)",
         [] { return std::make_unique<Lookahead>(adam(0.1), 4); }},
        {"ranger(rate: 0.03)",
         [] { return std::make_unique<Lookahead>(std::make_unique<Radam>(), 6); }},
        {"accumulate(adam(rate: 0.1), k: 3)",
         [] { return std::make_unique<Accumulate>(adam(0.1), 3); }},
        {"clip(adam(rate: 0.1), norm: 0.5)", [] { return std::make_unique<Clip>(adam(0.1)); }},
        {"sam(adam(rate: 0.1))", [] { return std::make_unique<Sam>(adam(0.1)); }},
        {"accumulate(clip(adam(rate: 0.1), norm: 0.5), k: 2)",
         [] { return std::make_unique<Accumulate>(std::make_unique<Clip>(adam(0.1)), 2); }},
        {"sam(clip(lookahead(adam(rate: 0.1), k: 2), norm: 0.5))",
         [] {
             return std::make_unique<Sam>(
                 std::make_unique<Clip>(std::make_unique<Lookahead>(adam(0.1), 2)));
         }},
    };
    Options options;
    options.precision = GENERATE(Element::f64, Element::f32); // computed in double either way
    for (const Case& each : cases) {
        INFO(each.line);
        Simulation trainer(std::string(Problem::text) +
                               "train { data d;  batch 2;  loss net(x);  optimizer " + each.line +
                               " }",
                           options);
        auto rule = each.rule();
        Numbers w = Problem::start();
        for (int step = 1; step <= 12; ++step) {
            double want = Problem::loss(w, step);
            rule->run(w, Problem::gradient(w, step), step, step);
            const int* rows = Problem::rows_of[(step - 1) % 3];
            CHECK(trainer.step(step, 12, rows[0], rows[1]) == Approx(want).epsilon(1e-10));
            for (size_t i = 0; i < 5; ++i) {
                double got = i < 3 ? trainer.values("net.u")[i] : trainer.values("net.v")[i - 3];
                INFO("step " << step << ", parameter " << i);
                REQUIRE(got == Approx(w[i]).epsilon(1e-9).margin(1e-12));
            }
        }
    }
}

TEST_CASE(
    "a norm is one over all lines that clip, and patterns say which line a parameter follows") {
    Simulation trainer(std::string(Problem::text) + R"(
train {
    data d;  batch 2;  loss net(x)
    optimizer clip(adamw(rate: 0.1, decay: 0), norm: 0.5) on *.v
    optimizer clip(adamw(rate: 0.1, decay: 0.2), norm: 0.5)
})");
    Numbers w = Problem::start();
    Clip plain(adam(0.1, 0)), decayed(adam(0.1, 0.2));
    for (int step = 1; step <= 6; ++step) {
        Numbers a = w, b = w, g = Problem::gradient(w, step);
        plain.run(a, g, step, step);
        decayed.run(b, g, step, step);
        w = {b[0], b[1], b[2], a[3], a[4]};
        const int* rows = Problem::rows_of[(step - 1) % 3];
        trainer.step(step, 6, rows[0], rows[1]);
        for (size_t i = 0; i < 5; ++i)
            REQUIRE((i < 3 ? trainer.values("net.u")[i] : trainer.values("net.v")[i - 3]) ==
                    Approx(w[i]).epsilon(1e-9));
    }
}

TEST_CASE("a random search never climbs, and keeps what it finds") {
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

TEST_CASE("settings are flags, schedules' numbers among them, read at run time") {
    Simulation trainer(std::string(Problem::text) + R"(
train artist {
    data d;  batch 2;  loss net(x)
    optimizer clip(adam(rate: cosine(step / steps, peak: 1e-2), beta2: 0.99), norm: 3)
})");
    const TrainBlock& block = trainer.program->blocks[0];
    auto flag = [&](const std::string& name) {
        for (const Flag& each : block.flags)
            if (each.name == name) return each;
        FAIL("no flag " << name);
        return Flag{};
    };
    CHECK(flag("peak").value == 1e-2);
    CHECK(flag("last").value == 0);
    CHECK(flag("warmup").value == 0);
    CHECK(flag("beta1").value == 0.9);
    CHECK(flag("beta2").value == 0.99);
    CHECK(flag("norm").full == "artist.norm");
    trainer.scalars[flag("peak").input] = 0;
    auto before = trainer.values("net.u");
    trainer.step(1, 10, 0, 2);
    CHECK(trainer.values("net.u") == before);
    trainer.scalars[flag("peak").input] = 0.5;
    trainer.step(2, 10, 0, 2);
    CHECK(trainer.values("net.u") != before);
}

TEST_CASE("an optimizer under a condition counts its own runs, one counter for parameters that run "
          "alike") {
    auto counters = [](const Simulation& trainer) {
        std::vector<std::string> paths;
        for (const Variable& variable : trainer.program->variables)
            if (variable.role == Variable::Role::optimizer &&
                variable.path.find(".t") != std::string::npos)
                paths.push_back(variable.path);
        return paths;
    };
    auto program = [](const std::string& optimizers, const std::string& line) {
        return std::string(Problem::text) + optimizers +
               "train { data d;  batch 2;  loss net(x);  optimizer " + line + " }";
    };
    Simulation alike(program("", "accumulate(adam(rate: 0.1), k: 2)"));
    CHECK(counters(alike) == std::vector<std::string>{"train.accumulate.adam.t"});
    for (int step = 1; step <= 5; ++step) alike.step(step, 5, 0, 2);
    CHECK(alike.values("train.accumulate.adam.t")[0] == 2);

    const char* climbing = "optimizer climbing(inner) { if sum(g) > 0 { inner } }\n";
    Simulation apart(program(climbing, "climbing(adam(rate: 0.1))"));
    apart.step(1, 2, 0, 2);
    Numbers g = Problem::gradient(Problem::start(), 1);
    CHECK(apart.values("train.climbing.adam.t/net.u")[0] == (g[0] + g[1] + g[2] > 0));
    CHECK(apart.values("train.climbing.adam.t/net.v")[0] == (g[3] + g[4] > 0));
    CHECK((apart.values("net.u")[0] != 0.4) == (g[0] + g[1] + g[2] > 0));
    CHECK((apart.values("train.climbing.adam.m/net.v")[0] != 0) == (g[3] + g[4] > 0));
}
