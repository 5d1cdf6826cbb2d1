// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Train blocks that the language must support: each runs a few steps on the evaluator, stays finite and changes the
// parameters of its optimizer lines, and no others.
#include "tests/unit/training/simulation.h"
#include <cmath>
#include <set>

using namespace gradc;

namespace {

struct Program {
    const char* name;
    const char* text;
    std::vector<std::string> still; // parameters that no line moves
};

const Program all[] = {
    {"dropout and batch_norm",
     R"(
dataset digits { i = range(12);  image: f32[6] = normal(shape: [6]) / 16;  label: int < 3 = i % 3
                 split train: 0.5, test: 0.5 }
model mlp(x: f32[N, 6]) -> f32[N, 3] { h = dropout(relu(batch_norm(linear(x, 8))), 0.2);  return linear(h, 3) }
train { data digits;  batch 6;  epochs 20;  loss cross_entropy(mlp(image), label);  optimizer adam(learning_rate: 1e-3)
        metric accuracy(mlp(image), label) })",
     {}},
    {"a generator and its critic take turns",
     R"(
dataset faces { i = range(12);  image: f32[4] = uniform(shape: [4]) + 0 * i }
model critic(x: f32[N, 4]) { return linear(tanh(linear(x, 5)), 1, bias: false)[:, 0] }
model generator(z: f32[N, 2]) -> f32[N, 4] { return linear(tanh(linear(z, 5)), 4) }
train judge {
    data faces;  batch 6;  epochs 30;  turns 5
    fake = generator(normal(shape: [N, 2]));  a = uniform(shape: [N, 1]);  mix = a * image + (1 - a) * fake
    slope = sqrt(sum(grad(critic(mix), wrt: mix)^2, axis: -1) + 1e-12)
    loss mean(critic(fake)) - mean(critic(image)) + 10 * mean((slope - 1)^2)
    optimizer adam(learning_rate: cosine(step / steps, peak: 1e-4)) on critic
}
train artist { loss -mean(critic(generator(normal(shape: [N, 2]))));  optimizer adam(learning_rate: 1e-4) on generator })",
     {}},
    {"a variational autoencoder",
     R"(
dataset mnist { i = range(12);  pixel: int[4] < 256 = cast(floor(uniform(shape: [4]) * 255), int) % 256 + 0 * i
                split train: 1 }
model encoder(x: f32[N, 4]) { h = relu(linear(x, 6));  return linear(h, 2), linear(h, 2) }
model decoder(z: f32[N, 2]) -> f32[N, 4] { return linear(relu(linear(z, 6)), 4) }
train {
    data mnist;  batch 6;  epochs 20
    x = pixel / 255;  mu, lv = encoder(x)
    z = mu + exp(lv / 2) * normal(shape: shape(mu))
    logits = decoder(z);  wrong = mean(sum(softplus(logits) - x * logits, axis: -1))
    loss wrong - 0.5 * mean(sum(1 + lv - mu^2 - exp(lv), axis: -1))
    optimizer adam(learning_rate: 1e-3)
    predict sigmoid(decoder(normal(shape: [N, 2])))
})",
     {}},
    {"a siamese net",
     R"(
dataset pairs {
    i = range(12)
    left: f32[3] = normal(shape: [3]) + 0 * i
    right: f32[3] = normal(shape: [3])
    same = i % 2
}
model embed(x: f32[N, 3]) { return linear(x, 2, bias: false) }
train {
    data pairs;  batch 6
    a = embed(left);  b = embed(right);  d = sqrt(sum((a - b)^2, axis: -1) + 1e-12)
    loss mean(where(same == 1, d^2, max(0, 1 - d)^2))
    optimizer clip_by_global_norm(momentum(learning_rate: 0.1))
})",
     {}},
    {"pairs within a batch",
     R"(
dataset pairs { i = range(12);  left: f32[3] = normal(shape: [3]) + 0 * i;  right: f32[3] = normal(shape: [3]) }
model embed(x: f32[N, 3]) { return linear(x, 2, bias: false) }
train {
    data pairs;  batch 6
    a = embed(left);  b = embed(right);  s[n, m] = sum[c](a[n, c] * b[m, c])
    loss mean(logsumexp(s)) - mean(sum(a * b, axis: -1))
    optimizer sgd(learning_rate: 0.1)
})",
     {}},
    {"a physics-informed net",
     R"(
model u(x: f32[N, 1], t: f32[N, 1]) -> f32[N, 1] {
    h = concat(x, t);  repeat 2 { h = tanh(linear(h, 4)) };  return linear(h, 1)
}
train {
    batch 6;  steps 20_000
    x = uniform(-1, 1, shape: [N, 1]);  t = uniform(0, 1, shape: [N, 1])
    y = u(x, t);  y_x = grad(y, wrt: x)
    inside = grad(y, wrt: t) + y * y_x - 0.01 / pi * grad(y_x, wrt: x)
    loss mean(inside^2) + mean((u(x, 0 * t) + sin(pi * x))^2) + mean(u(-1 + 0 * x, t)^2) + mean(u(1 + 0 * x, t)^2)
    optimizer adam(learning_rate: 1e-3)
})",
     {}},
    {"a circuit",
     R"(
model circuit() -> f32 { param a = 1;  param b = 2;  param w = 2;  param t = 4;  return ((a + b) * w - t)^2 + w^2 }
train { steps 100;  loss circuit();  optimizer sgd(learning_rate: 0.01) on circuit.a, circuit.w })",
     {"circuit.b", "circuit.t"}},
    {"regression with a penalty on a named parameter",
     R"(
dataset diabetes { i = range(12);  x: f32[3] = normal(shape: [3]) + 0 * i;  progression: f32 = sum(x) + 0.1 * normal() }
model regression(x: f32[N, 3]) -> f32[N] { return linear(x, 1)[:, 0] }
train {
    data diabetes;  batch 6;  epochs 200;  order random;  e = regression(x) - progression
    loss mean(e^2) + 0.01 * sum(regression.linear_1.weight^2)
    optimizer sgd(learning_rate: 0.05) on *.weight
    metric rmse = sqrt(mean(e^2));  predict regression(x)
})",
     {"regression.linear_1.bias"}},
    {"a Hessian-vector product",
     R"(
dataset d { i = range(12);  x: f32[3] = normal(shape: [3]) + 0 * i;  y: f32 = sum(x^2) }
model net(x: f32[N, 3]) -> f32[N] { param w1: [3, 4] = normal();  return sum(tanh(x @ w1), axis: -1) }
train {
    data d;  batch 6
    d1 = grad(mse(net(x), y), wrt: net.w1);  hv = grad(sum(d1 * stop_gradient(d1)), wrt: net.w1)
    loss mse(net(x), y) + 0.001 * sum(hv^2)
    optimizer lookahead(adam(learning_rate: 1e-3))
})",
     {}},
    {"f1 and a confusion matrix",
     R"(
dataset d { i = range(12);  x: f32[3] = normal(shape: [3]) + 0 * i;  label: int < 3 = i % 3;  truth: int < 2 = i % 2 }
fn confusion(x: [N, C], label: int[N] < C) { m[i < C, j < C] = sum[n](label[n] == i and argmax(x)[n] == j);  return m }
fn f1(score: [N], truth: int[N] < 2) {
    hit = sum((score > 0) * truth);  return 2 * hit / (sum(score > 0) + sum(truth))
}
model net(x: f32[N, 3]) -> f32[N, 3] { return linear(x, 3) }
train {
    data d;  batch 6
    loss cross_entropy(net(x), label);  optimizer adam()
    metric confusion(net(x), label);  metric f1(net(x)[:, 0], truth);  metric accuracy(net(x), label)
})",
     {}},
    {"two blocks on the rows of the first's data",
     R"(
dataset d { i = range(12);  x: f32[3] = normal(shape: [3]) + 0 * i;  y: f32 = sum(x) }
dataset idle { u: f32 = [1, 2, 3];  v = u - mean(train.u) }
model net(x: f32[N, 3]) -> f32[N] { return linear(x, 1)[:, 0] }
model idle_net(x: f32[N, 3]) -> f32[N] { return linear(linear(x, 4), 1)[:, 0] }
train a { data d;  batch 6;  loss mse(net(x), y);  optimizer sgd(learning_rate: 0.1) on *.weight }
train b { turns 2;  loss mse(net(x), y);  optimizer sgd(learning_rate: 0.1) on *.bias;  metric mean(x) })",
     {}},
};

/// The metrics of `block` over 12 rows in batches.
void check_metrics(Simulation& trainer, const TrainBlock& block) {
    if (block.dataset < 0) return;
    auto integer = trainer.integer(block.evaluation, 12, 12);
    for (int64_t batch : {5, 6}) {
        auto split = trainer.integer(block.evaluation, 12, batch);
        for (const Metric& metric : block.metrics) {
            if (metric.name == "loss") continue; // pairs within a batch depend on it
            INFO(metric.name << " in batches of " << batch);
            REQUIRE(split.at(metric.name).shape == metric.type.shape);
            for (size_t i = 0; i < split.at(metric.name).values.size(); ++i)
                CHECK(split.at(metric.name).values[i] == Approx(integer.at(metric.name).values[i]).epsilon(1e-9));
        }
    }
}

} // namespace

TEST_CASE("train blocks step, evaluate and predict") {
    Dtype precision = GENERATE(Dtype::f64, Dtype::f32);
    for (const Program& program : all) {
        INFO(program.name << " in " << name(precision));
        Options options;
        options.precision = precision;
        Simulation trainer(program.text, options);
        auto before = trainer.variables;
        for (int step = 1; step <= 3; ++step)
            for (size_t block = 0; block < trainer.program->blocks.size(); ++block) {
                int64_t from = step % 2 ? 0 : 6;
                CHECK(std::isfinite(trainer.step(step, 3, from, from + 6, block)));
            }
        std::set<std::string> still(program.still.begin(), program.still.end());
        for (const Variable& variable : trainer.program->variables) {
            if (variable.role != Variable::Role::parameter) continue;
            INFO(variable.path);
            bool moved = trainer.values(variable.path) != before.at(variable.path).values;
            CHECK(moved == !still.count(variable.path));
        }
        for (const TrainBlock& block : trainer.program->blocks) {
            check_metrics(trainer, block);
            if (!block.predict) continue;
            for (double value : trainer.predict(block, 0, 6).values) CHECK(std::isfinite(value));
        }
    }
}

TEST_CASE("functions that no block uses have no variables") {
    Simulation trainer(all[10].text);
    CHECK(trainer.program->variables.size() > 2);
    for (const Variable& variable : trainer.program->variables) {
        INFO(variable.path);
        CHECK(variable.path.find("idle") == std::string::npos);
    }
}

TEST_CASE("a prediction takes generated fields from its rows and computes the others") {
    Simulation trainer(R"(dataset rows {
    row: int < 8 = range(8)
    drawn: f32[2] = uniform(-1, 1, shape: [2])
    twice = 2 * drawn
    listed: f32 = [1, 2, 3, 4, 5, 6, 7, 8]
    both = listed + row
    whole = row % 3
}
model net(x: f32[N, 2], y: f32[N]) -> f32[N] { return linear(x, 1)[:, 0] + y }
train {
    data rows
    batch 4
    epochs 1
    loss mean(net(drawn, both)^2)
    optimizer sgd(learning_rate: 0.1)
    predict net(twice, both) + whole
})");
    const TrainBlock& block = trainer.program->blocks[0];
    std::set<std::string> read;
    for (uint32_t i = 0; i < block.predict->size(); ++i)
        if (auto input = std::get_if<Input>(&(*block.predict)[NodeId(i)].attributes))
            if (input->source == Input::Source::field) read.insert(input->name);
    CHECK(read == std::set<std::string>{"listed", "row", "twice"});
    auto columns = trainer.run(trainer.program->columns[0], trainer.rows(0, 8));
    const std::vector<double>& weight = trainer.values("net.linear_1.weight");
    std::vector<double> predicted = trainer.predict(block, 0, 8).values;
    for (size_t i = 0; i < 8; ++i) {
        const std::vector<double>& twice = columns.at("twice").values;
        CHECK(predicted[i] == Approx(twice[2 * i] * weight[0] + twice[2 * i + 1] * weight[1] + double(i + 1) +
                                     double(i) + double(i % 3)));
    }
}

TEST_CASE("states of models move once a step in training, and evaluation reads them") {
    Simulation trainer(all[0].text);
    auto mean = [&] { return trainer.values("mlp.batch_norm_1.m"); };
    auto start = mean();
    trainer.integer(trainer.program->blocks[0].evaluation, 12, 6);
    CHECK(mean() == start);
    trainer.step(1, 3, 0, 6);
    CHECK(mean() != start);
}

TEST_CASE("a scan carries the states that its body updates, and the code after it reads them") {
    Simulation trainer(R"(
dataset d { x: f32[3] = [[1, 2, 4], [3, 4, 6]] }
fn running(v: [N]) { state seen = 0;  state total = 0.0;  seen <- seen + 1;  total <- total + mean(v);  return total }
model net(x: f32[N, 3]) {
    param w = 1
    state turns = 0
    sums = scan t < 3 with h = 0.0 {
        inner = scan u < 2 with k = 0.0 { k = k + running(w * x[:, t]);  yield k }
        turns <- turns + t
        h = h + inner[1]
        yield h
    }
    return sums[2] + turns
}
train { data d;  batch 2;  loss net(x);  optimizer sgd(0) })");
    // Means 2, 3, 5, each added twice: totals 2 4 | 7 10 | 15 20, of which each turn adds two.
    CHECK(trainer.step(1, 2, 0, 2) == Approx(2 + 4 + 7 + 10 + 15 + 20 + 3));
    CHECK(trainer.values("net.turns") == std::vector<double>{3});
    CHECK(trainer.values("net.running_1.seen") == std::vector<double>{6});
    CHECK(trainer.values("net.running_1.total") == std::vector<double>{20});
    CHECK(trainer.step(2, 2, 0, 2) == Approx(58 + 6 * 20 + 6));
}

TEST_CASE("a state that is met first inside of a loop is the same outside") {
    Simulation trainer(R"(
dataset d { x: f32[2] = [[1, 2], [3, 4]] }
model scaled(v: f32[N]) { param w = 1;  state s = 5;  return w * s * v }
model net(x: f32[N, 2]) {
    y = scan t < 2 with h = zeros([N]) { h = h + scaled(x[:, t]);  yield h }
    return mean(y[:, 1] + scaled(x[:, 0]))
}
train { data d;  batch 2;  loss net(x);  optimizer sgd(0) })");
    CHECK(trainer.step(1, 1, 0, 2) == Approx(5 * (5 + 2)));
}

TEST_CASE("the mean loss and the metrics of training are summed in the steps") {
    Simulation trainer(all[9].text);
    const TrainBlock& block = trainer.program->blocks[0];
    double first = trainer.step(1, 3, 0, 5), second = trainer.step(2, 3, 5, 12);
    auto gathered = trainer.run(block.training.finish, trainer.rows(0, 1));
    CHECK(gathered.at("loss").values[0] == Approx((5 * first + 7 * second) / 12));
    double rows = 0;
    for (double each : gathered.at("confusion").values) rows += each;
    CHECK(rows == 12);
}
