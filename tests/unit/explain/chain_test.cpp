// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The printed chain is the derivative. The factors as full matrices, multiplied in the printed order and added over the
// paths, give the evaluator's gradient. Shapes of neighbors fit, and each name means one value.
#include "compiler/explain/explanation.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/training/job.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc;

namespace {

struct Model {
    Sources sources;
    std::optional<TrainingJob> job;
};

Model model(const std::string& text) {
    Model result;
    FileReader reader;
    Diagnostics diagnostics;
    uint32_t main = result.sources.add({"test.grad", text});
    result.job = elaborate(result.sources, main, reader, {}, diagnostics);
    REQUIRE(result.job);
    return result;
}

using Matrix = std::vector<std::vector<double>>;

Matrix product(const Matrix& a, const Matrix& b) {
    REQUIRE(a[0].size() == b.size());
    Matrix result(a.size(), std::vector<double>(b[0].size(), 0));
    for (size_t i = 0; i < a.size(); ++i)
        for (size_t k = 0; k < b.size(); ++k)
            for (size_t j = 0; j < b[0].size(); ++j) result[i][j] += a[i][k] * b[k][j];
    return result;
}

void add(Matrix& a, const Matrix& b) {
    for (size_t i = 0; i < a.size(); ++i)
        for (size_t j = 0; j < a[i].size(); ++j) a[i][j] += b[i][j];
}

std::vector<double> value_of(const Graph& graph, NodeId id, const Environment& environment) {
    return evaluate(extract(graph, {{"value", id}}), environment)[0].values;
}

/// d later / d earlier with the other stations held fixed: a row for each element of `later`.
Matrix jacobian(const Derivation& derivation, size_t later, size_t earlier, const DerivativeRules& rules,
                const Environment& environment) {
    Graph graph = derivation.graph;
    const Type type = graph.type(derivation.stations[later].node);
    const Type by = graph.type(derivation.stations[earlier].node);
    NodeId seed = graph.add(Op::input, type, {}, Input{Input::Source::field, "seed of the test"});
    NodeId row = along(graph, derivation, later, earlier, seed, rules);
    Environment own = environment;
    Shape shape = type.shape;
    for (int64_t& size : shape)
        if (size == rows) size = environment.rows;
    int64_t height = count(shape, 1), width = count(by.shape, environment.rows);
    Matrix result;
    for (int64_t i = 0; i < height; ++i) {
        Tensor one{shape, std::vector<double>(size_t(height), 0)};
        one.values[size_t(i)] = 1;
        own.fields["seed of the test"] = one;
        result.push_back(row == NodeId::none ? std::vector<double>(size_t(width), 0) : value_of(graph, row, own));
        REQUIRE(result.back().size() == size_t(width));
    }
    return result;
}

/// The sum over all ways of the products of their factors: one row.
Matrix integer(const Derivation& derivation, const DerivativeRules& rules, const Environment& environment) {
    std::vector<Matrix> adjoints = {{{1.0}}};
    for (size_t s = 1; s < derivation.stations.size(); ++s) {
        int64_t width = count(derivation.graph.type(derivation.stations[s].node).shape, environment.rows);
        Matrix sum(1, std::vector<double>(size_t(width), 0));
        for (const Factor& factor : derivation.stations[s].factors)
            add(sum, product(adjoints[factor.later], jacobian(derivation, factor.later, s, rules, environment)));
        adjoints.push_back(std::move(sum));
    }
    return adjoints.back();
}

void require_close(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 1e-3;
    for (double value : b) largest = std::max(largest, std::fabs(value));
    for (size_t i = 0; i < a.size(); ++i) REQUIRE(std::fabs(a[i] - b[i]) <= 1e-9 * largest);
}

void require_names_unique(const Derivation& derivation, const Question& question, const Symbols& symbols) {
    std::map<std::string, NodeId> known;
    for (NodeId id : reachable(derivation.graph, {derivation.value()})) {
        const Node& node = derivation.graph[id];
        std::string name = node.op == Op::variable ? symbols.at(attribute<VariableName>(node).path) : node.name;
        if (name.empty() || node.op == Op::input) continue;
        INFO(name);
        REQUIRE(known.emplace(name, id).second);
    }
    REQUIRE(symbols.size() == question.parameters.size());
}

/// Checks every parameter of every question; returns the number of chains.
int check_chains(const std::string& text) {
    Model read = model(text);
    int chains = 0;
    for (const Question& question : questions(*read.job))
        for (NodeId parameter : question.parameters) {
            auto derivation = derive(question, {parameter}, *read.job->rules);
            if (!derivation) continue;
            ++chains;
            INFO(attribute<VariableName>(question.graph[parameter]).path);
            Symbols symbols = name_values(*derivation, question);
            require_names_unique(*derivation, question, symbols);
            Graph graph = question.graph;
            NodeId expected = gradient(graph, question.value, {parameter}, *read.job->rules)[0];
            Environment environment = sample(*read.job, question.flags, graph, {3, 7});
            std::vector<double> wanted = value_of(graph, expected, environment);
            require_close(value_of(derivation->graph, derivation->gradient(), environment), wanted);
            require_close(integer(*derivation, *read.job->rules, environment)[0], wanted);
            CHECK(derivation->stations.front().factors.empty());
            CHECK(derivation->stations.back().node == parameter);
            for (size_t s = 1; s < derivation->stations.size(); ++s)
                for (const Factor& factor : derivation->stations[s].factors) CHECK(factor.later < s);
        }
    return chains;
}

constexpr const char* rows_of_three = R"(
dataset d {
    x: f64[4] = [[1, 2, -1, 0.5], [0.3, -2, 1, 1], [-1, 0.2, 0.7, 2]]
    label: int < 3 = [0, 2, 1]
    y: f64 = [0.5, -1, 2]
}
)";

std::string file(const std::string& rest) { return rows_of_three + rest; }

} // namespace

TEST_CASE("factors of the chain multiply to the gradient") {
    CHECK(check_chains("model m() -> f32 { param x = -2;  param y = 5;  param z = -4;  return (x + "
                       "y) * z }") == 3);
    CHECK(check_chains("model m() -> f32 { param a = 1;  param b = 2;  param w = 2;  param t = 4\n"
                       "return ((a + b) * w - t)^2 + w^2 }") == 4);
    CHECK(check_chains(file("model net(x: f64[N, 4]) -> f64[N, 3] { h = relu(linear(x, 5));  return "
                            "linear(h, 3) }\n"
                            "train { data d;  batch 3;  epochs 1;  loss cross_entropy(net(x), label)\n"
                            "optimizer sgd(learning_rate: 0.1) }")) == 4);
    CHECK(check_chains(
              file("model net(x: f64[N, 4]) -> f64[N] { h = tanh(linear(x, 5));  return linear(h, 1)[:, "
                   "0] }\n"
                   "train { data d;  batch 3;  epochs 1;  loss binary_cross_entropy_with_logits(net(x), sigmoid(y))\n"
                   "optimizer sgd(learning_rate: 0.1) }")) == 4);
}

TEST_CASE("ways that part and meet, weights that are used again, loops and norms keep the sum of "
          "products") {
    CHECK(check_chains(file("model net(x: f64[N, 4]) -> f64[N] {\n"
                            "param w: f64[4, 4] = normal();  a = tanh(x @ w);  b = tanh(a @ w) + a\n"
                            "return sum(b * sigmoid(a), axis: -1) }\n"
                            "train { data d;  batch 3;  epochs 1;  loss mean((net(x) - y)^2)\n"
                            "optimizer sgd(learning_rate: 0.1) }")) == 1);
    CHECK(check_chains(file("model net(x: f64[N, 4]) -> f64[N] {\n"
                            "hs = scan t < 4 with h = zeros([N, 2]) {\n"
                            "h = tanh(linear(reshape(x[:, t], [N, 1]), 2) + linear(h, 2, bias: false))\n"
                            "yield h }\n"
                            "return linear(hs[:, -1], 1)[:, 0] }\n"
                            "train { data d;  batch 3;  epochs 1;  loss mean((net(x) - y)^2)\n"
                            "optimizer sgd(learning_rate: 0.1) }")) == 5);
    CHECK(check_chains(file("model net(x: f64[N, 4]) -> f64[N, 3] { return linear(layer_norm(linear(x, 4)), 3) }\n"
                            "train { data d;  batch 3;  epochs 1;  loss cross_entropy(net(x), label)\n"
                            "optimizer sgd(learning_rate: 0.1) }")) == 6);
    CHECK(check_chains(file("model u(x: f64[N, 4]) -> f64[N] { return "
                            "sum(tanh(linear(tanh(linear(x, 3)), 2)), axis: -1) }\n"
                            "train { data d;  batch 3;  epochs 1\n"
                            "v = u(x);  s = grad(v, wrt: x)\n"
                            "loss mean(s^2) + mean((v - y)^2);  optimizer sgd(learning_rate: 0.1) }")) == 4);
}

TEST_CASE("the chain rule of a network with one hidden layer") {
    Model read = model(file("model net(x: f64[N, 4]) -> f64[N, 3] { h = relu(linear(x, 5));  return linear(h, 3) }\n"
                            "train { data d;  batch 3;  epochs 1;  loss cross_entropy(net(x), label)\n"
                            "optimizer sgd(learning_rate: 0.1) }"));
    Question question = questions(*read.job)[0];
    auto explanation = explain(*read.job, question, question.parameters[0], {{loop::Isa::avx2}, {}});
    REQUIRE(explanation);
    std::string text = print(*explanation, read.sources);
    for (const char* line : {"dL/dW1 = dL/dz2 · dz2/dh · dh/dz1 · dz1/dW1\n", "= x W1 + b1\n", "= max(z1, 0)\n",
                             "dL/dh = dL/dz2 W2'\n", "dL/dz1 = dL/dh * [z1 > 0]\n", "dL/dW1 = x' dL/dz1\n",
                             "Jacobian (N x 3) x (N x 5)", "dL/dW1 = x' (dL/dz2 W2' * [z1 > 0])"}) {
        INFO(line << "\n" << text);
        CHECK(text.find(line) != text.npos);
    }
    CHECK(!explanation->kept.empty());
    CHECK(!explanation->kernels.empty());
    size_t code = text.find("\nCode\n");
    REQUIRE(code != text.npos);
    for (size_t begin = 0; begin < code;) {
        size_t end = text.find('\n', begin);
        CHECK(end - begin <= 84); // bytes; the sign of products has two
        begin = end + 1;
    }
}
