// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of expressions and statements, one line each: a model `m` without arguments and its value.
#include "tests/support/model_text.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <numeric>

using namespace gradc;

namespace {

struct Case {
    const char* body;
    std::vector<double> expected;
};

const Case cases[] = {
    // numbers: formulas of constants are constants, a literal takes the type of the other operand
    {"return 7 / 2", {3.5}},
    {"return -2^2", {-4}},
    {"return 2^3^2", {512}},
    {"return -7 % 3 + 7 % -3", {0}},
    {"return zeros([8 / 2]) + 1", {1, 1, 1, 1}},
    {"i[k < 3] = k;  return i / 2", {0, 0.5, 1}},
    {"i[k < 3] = k;  return mean(i > 0)", {2.0 / 3}},
    {"i[k < 3] = k;  return sum(i > 0) * 2", {4}},
    {"i[k < 4] = k;  return (i + 3) % 4", {3, 0, 1, 2}},
    {"i[k < 4] = k;  return i^2 - 1.5", {-1.5, -0.5, 2.5, 7.5}},
    {"return where(2 > 1 and not (1 == 2), 3, 4)", {3}},
    {"return max(1, 2) + min(3, 4) + max([5, 6])", {11}},
    {"return sqrt(16) * [1, 2]", {4, 8}},
    {"return cast([1.7, -1.7], int)", {1, -1}},
    {"return [1, 2] == [1, 3]", {1, 0}},
    {"return [1, 2] != [1, 3]", {0, 1}},
    {"return [1, 2] >= 2", {0, 1}},
    {"return sign([-2, 0, 3])", {-1, 0, 1}},
    {"return round([0.5, 1.4, -1.6])", {1, 1, -2}},
    // shapes
    {"x[i < 2, j < 3] = 3*i + j;  return x'", {0, 3, 1, 4, 2, 5}},
    {"x[i < 2, j < 3] = 3*i + j;  return x[1, ::-1]", {5, 4, 3}},
    {"x[i < 2, j < 3] = 3*i + j;  return x[-1, -2:]", {4, 5}},
    {"x[i < 6] = i;  return x[1::2]", {1, 3, 5}},
    {"x[i < 2, j < 3] = 3*i + j;  return x[:, [2, 0]]", {2, 0, 5, 3}},
    {"x[i < 2, j < 3] = 3*i + j;  return sum(x, axis: 0)", {3, 5, 7}},
    {"x[i < 2, j < 3] = 3*i + j;  return sum(x, axis: [0, -1])", {15}},
    {"x[i < 2, j < 3] = 3*i + j;  return max(x, axis: -1, keepdims: true) - x", {2, 1, 0, 2, 1, 0}},
    {"x[i < 2, j < 3] = 3*i + j;  return min(x, axis: 0)", {0, 1, 2}},
    {"x[i < 2, j < 3] = 3*i + j;  return x @ x'", {5, 14, 14, 50}},
    {"x[i < 2, j < 3] = 3*i + j;  return x @ [1, 0, 2]", {4, 13}},
    {"x[i < 2, j < 2, k < 2] = 4*i + 2*j + k;  return x @ [[0, 1], [1, 0]]", {1, 0, 3, 2, 5, 4, 7, 6}},
    {"a, b = split([1, 2, 3, 4], 2);  return concat(b, a)", {3, 4, 1, 2}},
    {"a, b, c = split([1, 2, 3, 4], [1, 2, 1]);  return b", {2, 3}},
    {"return stack([1, 2], [3, 4], axis: 1)", {1, 3, 2, 4}},
    {"return pad([1, 2], [1], value: 9)", {9, 1, 2, 9}},
    {"return pad([1, 2], [0], [1])", {1, 2, 0}},
    {"return reshape([1, 2, 3, 4], [2, 2])[1]", {3, 4}},
    {"return permute(reshape([1, 2, 3, 4], [2, 2]), [1, 0])", {1, 3, 2, 4}},
    {"x = zeros([2, 5]);  return size(x) + size(x, 1) + shape(x)[0]", {17}},
    {"return full(2, [2])", {2, 2}},
    // lists of values are stacks, all right sides are computed before several names are assigned
    {"z = exp([0, 0]);  return [z[0], 2 * z[1]]", {1, 2}},
    {"z = exp(zeros([2, 2]));  return [z[0], 3 * z[1]]'", {1, 3, 1, 3}},
    {"z = exp([0, 0]);  return [[z[0], 2], [3, 5 * z[1]]]'", {1, 3, 2, 5}},
    {"z = exp([0, 0]);  return shape([z[0], z[1], 5])[0] + size([z, z])", {7}},
    {"z = exp([0, 0]);  return sum([z[0], 4 * z[1]] * [1, 10])", {41}},
    {"a = 1;  b = 2;  a, b = b, a;  return 10 * a + b", {21}},
    {"a = exp([0]);  b = 2 * a;  a, b = b, a;  return concat(a, b)", {2, 1}},
    {"rows, columns = shape(zeros([3, 5]));  return zeros([columns - rows]) + columns", {5, 5}},
    {"a, b, c = 1, [2, 3], zeros([2]) + 4;  return a + b + c", {7, 8}},
    {"a, b = [7, [1, 2]];  return a * b", {7, 14}},
    // definition by index
    {"x[i < 4] = i;  y[h] = sum[k < 2](x[2*h + k]);  return y", {1, 5}},
    {"x[i < 4] = i;  y[h] = max[k < 3](x[h + k]);  return y", {2, 3}},
    {"x[i < 4] = i;  y[t] = x[3 - t];  return y", {3, 2, 1, 0}},
    {"x[i < 5] = i;  w = [1, 10];  y[h] = sum[k](w[k] * x[h - k + 1]);  return y", {1, 12, 23, 34}},
    {"x[i < 3, j < 3] = 3*i + j;  y[i] = x[i, i];  return y", {0, 4, 8}},
    {"x[i < 3, j < 3] = 3*i + j;  p = [2, 0, 1];  y[i] = x[i, p[i]];  return y", {2, 3, 7}},
    {"x[i < 3, j < 3] = 3*i + j;  p = [2, 0, 1];  y[i] = x[p[i], p[i]];  return y", {8, 0, 4}},
    {"x[i < 2, j < 3] = 3*i + j;  y[j] = mean[i](x[i, j] * x[i, j]);  return y", {4.5, 8.5, 14.5}},
    {"x = [1, 2, 3];  return sum[i, j](x[i] * x[j])", {36}},
    {"x = [1, 2, 3];  return sum[i, j < 4](x[i])", {24}},
    {"x = [1, 2];  y = [3, 5];  z = [7, 11];  return sum[i](x[i] * y[i] * -z[i])", {-131}},
    {"x[i < 2, j < 3] = 3*i + j;  y[..] = 2 * x[..];  return y", {0, 2, 4, 6, 8, 10}},
    {"x[i < 2, j < 3] = 3*i + j;  y[.., k < 2] = x[..] + k;  return y[1]", {3, 4, 4, 5, 5, 6}},
    {"x[i < 2, j < 3] = 3*i + j;  y[i] = sum(softmax(x[i, :]) * [0, 1, 2]);  return round(y * "
     "1000)",
     {1575, 1575}},
    {"m[i < 3, j < 3] = where(j <= i, 1, 0);  return sum(m)", {6}},
    // integer division and remainder by Python's rule
    {"return [7 // 2, -7 // 2, 7 // -2, -7 // -2]", {3, -4, -4, 3}},
    {"return 7.5 // 2 + zeros([7 // 3])", {3, 3}},
    {"i[k < 7] = k - 3;  return i // 2", {-2, -1, -1, 0, 0, 1, 1}},
    {"i[k < 7] = k - 3;  return i // -2", {1, 1, 0, 0, -1, -1, -2}},
    {"i[k < 7] = k - 3;  return i % -2", {-1, 0, -1, 0, -1, 0, -1}},
    {"i[k < 9] = k - 4;  a = i - (i // 3 * 3 + i % 3);  b = i - (i // -3 * -3 + i % -3);  return "
     "[sum(a^2), sum(b^2)]",
     {0, 0}},
    {"i[k < 3] = k;  d = i + 1;  return (10 * i) // d + (10 * i) % d", {0, 5, 8}},
    {"return [-7.5, 7.5, 49] // [2, -2, 49.0]", {-4, -4, 1}},
    {"param w: [3] = 2.5;  return grad(w * (w // 2), wrt: w)", {1, 1, 1}},
    {"x = [5, 6, 7];  y[i < 6] = x[i // 2];  return y", {5, 5, 6, 6, 7, 7}},
    {"x[h < 2, w < 2] = 2*h + w;  y[h < 4, w < 4] = x[h//2, w//2];  return y[1]", {0, 0, 1, 1}},
    {"x[i < 5] = i;  y[i < 3] = x[(i + 7) // 2 - 1];  return y", {2, 3, 3}},
    // bool counts as int
    {"x = [5, 6];  y = [-1, 2, 0];  return x[y > 0]", {5, 6, 5}},
    {"x = [5, 6];  y = [-1, 2];  z[i] = x[y[i] > 0];  return z", {5, 6}},
    {"x = [[0, 1], [0, 1]];  return round(1e3 * cross_entropy(1.0 * x, x[:, 0] > 0))", {1313}},
    // bounds that hang on other indices
    {"x = [1, 2, 3, 4];  y[t] = sum[u < t + 1](x[u]);  return y", {1, 3, 6, 10}},
    {"x = [1, 2, 3, 4];  y[t < 4] = sum[u < t](x[u]);  return y", {0, 1, 3, 6}},
    {"x = [1, 2, 3, 4];  y[t < 3] = sum[u < 4 - 2*t](x[u]);  return y", {10, 3, 0}},
    {"x = [1, 2, 3, 4];  y[t < 2] = sum[u < 2*t + 1](x[u + 1]);  return y", {2, 9}},
    {"x = [1, 2, 3, 4];  y[t] = mean[u < t + 1](x[u]);  return y", {1, 1.5, 2, 2.5}},
    {"x = [1, -2, 3, 0];  y[t] = max[u < t + 1](-x[u]);  return y", {-1, 2, 2, 2}},
    {"x = [1, -2, 3, 0];  y[t] = min[u < t + 1](x[u]);  return y", {1, -2, -2, -2}},
    {"x = [3, 2, 4];  w = [1, 10, 100];  y[t] = sum[u < t + 1](x[t - u] * w[u]);  return y", {3, 32, 324}},
    {"x = [3, 2, 4];  y[t] = sum[u < t + 1](1 / x[t - u]);  return y[2]", {1. / 3 + 0.5 + 0.25}},
    {"x = [3, 2, 4];  y[t < 3] = sum[u < t + 1](x[t]);  return y", {3, 4, 12}},
    {"x = [3, 2, 4];  y[t < 3] = mean[u < t + 1](x[t]);  return y", {3, 2, 4}},
    {"return sum[i < 4, j < i](1)", {6}},
    {"return mean[i < 4, j < i + 1](j)", {1}},
    {"return sum[i < 4](sum[j < i + 1](sum[k < j + 1](1)))", {20}},
    {"x = [1, 2, 4, 8];  y[t] = sum[u < t + 1](sum[v < u + 1](x[v]));  return y", {1, 4, 11, 26}},
    {"x = [1, 2, 4, 8];  n = [0, 3, 1];  y[i] = sum[u < n[i]](x[u]);  return y", {0, 7, 1}},
    {"x = [1, 2, 4, 8];  y[t < 4] = sum[u < min(t + 1, 2)](x[u]);  return y", {1, 3, 3, 3}},
    {"x = [1, 2, 4, 8];  y[t < 4] = sum[u < max(t - 1, 0)](x[u]);  return y", {0, 0, 1, 3}},
    {"x = [1, 2, 4, 8];  y[t < 4] = max[u < max(t, 1)](x[u]);  return y", {1, 1, 2, 4}},
    {"x = [1, 2, inf, nan];  y[t] = sum[u < t + 1](x[u]);  return y[:2]", {1, 3}},
    {"param w: [3] = [1, 4, 9];  y[t < 3] = sum[u < t](sqrt(w[t - u - 1]));  return grad(sum(y), "
     "wrt: w)",
     {1, 0.25, 0}},
    {"param w: [3] = [0, 4, 9];  y[t] = max[u < t + 1](w[u]);  return grad(sum(y), wrt: w)", {1, 1, 1}},
    // blocks
    {"x = 1;  if 2 > 1 { x = 2;  y = 3 } else { x = 4 };  return x + y", {5}},
    {"x = 1;  repeat i < 4 { x = x * (i + 1) };  return x", {24}},
    {"x = 1;  repeat 3 { y = x;  x = x + y };  return x", {8}},
    {"s = mean([1, 2]);  x = 1;  y = 2;  if s > 1 { x = 5 } else { y = 7 };  return [10, 1] * x + "
     "y",
     {52, 7}},
    {"s = mean([1, 2]);  if s < 1 { x = 5 } else { x = 6 };  return x", {6}},
    {"return scan t < 4 with a = 0, b = 1 { c = a + b;  a = b;  b = c;  yield a }", {1, 1, 2, 3}},
    {"return (scan t < 3 with a = [1, 2] { a = a * (t + 1);  yield a })[:, 1]", {2, 4, 12}},
    {"a, b = scan t < 2 with s = 0 { s = s + 1;  yield s, 10 * t };  return concat(a, b)", {1, 2, 0, 10}},
    {"y[n < 2, l < 3] = (scan t < 3 with c = 0 { c = c + n + t;  yield c })[l];  return y", {0, 1, 3, 1, 3, 6}},
    {"y[n < 2, l] = (scan t < 3 with c = 0 { c = c + t;  yield c })[l] + n;  return y", {0, 1, 3, 1, 2, 4}},
    {"x = [5, 6, 7];  return scan t < 3 with i = 0 { y = x[i];  i = (i + 2) % 3;  yield y }", {5, 7, 6}},
    {"return scan t < 2 with a = 0 { b = scan u < 2 with c = a { c = c + t + u;  yield c };  a = "
     "b[1];  yield a }",
     {1, 4}},
    // mode and random numbers
    {"x = 1;  if training { x = 2 };  return x", {1}},
    {"u = uniform(shape: [4000]);  return round(10 * [mean(u), 12 * variance(u)])", {5, 10}},
    {"v = normal(2, shape: [8000]);  return round(10 * [mean(v), std(v)])", {0, 20}},
    {"return uniform() == uniform()", {0}},
    {"u = scan t < 2 with k = 0 { k = k + 1;  yield uniform() };  return u[0] == u[1]", {0}},
    // gradients
    {"x = 1 * [1, 2];  x = x + 0.0;  return grad(x^3, wrt: x)", {3, 12}},
    {"param w = 3;  return grad(grad(w^3, wrt: w), wrt: w)", {18}},
    {"param w = 0;  return grad(where(w > 0, sqrt(w), 2 * w), wrt: w)", {2}},
    {"param w = 0;  return grad(relu(w), wrt: w) + grad(abs(w), wrt: w)", {0}},
    {"param w: [2] = 1;  return grad(sum(stop_gradient(w) * w), wrt: w)", {1, 1}},
};

} // namespace

TEST_CASE("expressions and statements have the values of the reference") {
    for (const Case& each : cases) {
        ModelText text("model m() { " + std::string(each.body) + " }");
        INFO(each.body << "\n" << text.errors());
        CHECK(text.job);
        if (!text.job) continue;
        Tensor value = value_of(text, "m", draw(text, text.model("m").graph, 1, 0));
        CHECK(value.values.size() == each.expected.size());
        for (size_t i = 0; i < std::min(value.values.size(), each.expected.size()); ++i)
            CHECK(value.values[i] == Approx(each.expected[i]).margin(1e-9));
    }
}

TEST_CASE("parameters are named by the call path") {
    ModelText text("fn block(x) { y = linear(x, 3);  return linear(y, 3, bias: false) }\n"
                   "model shared(x: f32[N, 3]) { param scale = 1;  return scale * linear(x, 3) }\n"
                   "model m(x: f32[N, 3]) {\n"
                   "    repeat i < 2 { x = block(x);  param gain = 1 as \"g.{i}\";  x = gain * x }\n"
                   "    return shared(x) + shared(2 * x)\n}");
    INFO(text.errors());
    REQUIRE(text.job);
    std::vector<std::string> paths, names;
    for (const Variable& each : text.job->variables) paths.push_back(each.path), names.push_back(each.saved_as);
    CHECK(paths == std::vector<std::string>{"shared.scale", "shared.linear_1.weight", "shared.linear_1.bias",
                                            "m.block_1.linear_1.weight", "m.block_1.linear_1.bias",
                                            "m.block_1.linear_2.weight", "m.gain_1", "m.block_2.linear_1.weight",
                                            "m.block_2.linear_1.bias", "m.block_2.linear_2.weight", "m.gain_2"});
    paths[6] = "g.0", paths[10] = "g.1";
    CHECK(names == paths);
}

TEST_CASE("`as` names the weights of the functions that a line calls") {
    ModelText text(
        "fn block(x) { y = linear(x, 3) as \"fc\";  param gain = 1 as \"ln.gain\";  return gain * linear(y, 3) }\n"
        "model head(x: f32[N, 3]) = linear(x, 2)\n"
        "model m(x: f32[N, 3]) {\n"
        "    repeat i < 2 { x = x + block(x) as \"h.{i}\" }\n"
        "    x = block(x)\n"
        "    return head(x) as \"lm\"\n}");
    INFO(text.errors());
    REQUIRE(text.job);
    std::vector<std::string> names;
    for (const Variable& each : text.job->variables)
        if (each.path.ends_with("weight") || each.path.ends_with("gain")) names.push_back(each.saved_as);
    CHECK(names == std::vector<std::string>{"lm.linear_1.weight", "h.0.fc.weight", "h.0.ln.gain", "h.0.linear_2.weight",
                                            "h.1.fc.weight", "h.1.ln.gain", "h.1.linear_2.weight",
                                            "m.block_3.fc.weight", "m.block_3.ln.gain", "m.block_3.linear_2.weight"});
}

TEST_CASE("the circuit of the first page is worth 8, with gradients 8, 8, 16 and -4") {
    ModelText text("model circuit() -> f32 { param a = 1;  param b = 2;  param w = 2;  param t = 4;  "
                   "return ((a + b) * w - t)^2 + w^2 }");
    Graph graph = text.model("circuit").graph;
    auto parameters = text.model("circuit").parameters;
    REQUIRE(parameters.size() == 4);
    auto gradients = gradient(graph, graph.outputs[0].node, parameters, *text.job->rules);
    for (NodeId each : gradients) graph.outputs.push_back({"g", each});
    std::vector<double> values;
    for (const Tensor& each : evaluate(graph, draw(text, graph, 1, 0))) values.push_back(each.values[0]);
    CHECK(values == std::vector<double>{8, 8, 8, 16, -4});
}

TEST_CASE("N is the number of rows that are given") {
    ModelText text("model m(x: f32[N, 2]) { return mean(x, axis: 0) + N - sum(0 * x[:, 0] + 1) }\n"
                   "model s(x: f32[N, 2]) { a = linear(x, 3);  y[n, k] = sum[c](a[n, c] * a[k, "
                   "c]);  return y }");
    INFO(text.errors());
    REQUIRE(text.job);
    for (int64_t n : {1, 3}) {
        Environment environment = draw(text, text.model("m").graph, n);
        auto& x = environment.fields.at("x").values;
        double mean = 0;
        for (int64_t i = 0; i < n; ++i) mean += x[size_t(2 * i)] / double(n);
        CHECK(value_of(text, "m", environment).values[0] == Approx(mean));
        CHECK(value_of(text, "s", environment).shape == Shape{n, n});
    }
}

TEST_CASE("rows are sliced and looked up if every N has them") {
    struct Row {
        const char* body;
        std::function<double(const std::vector<double>&, size_t n)> expected; // of row n
    };
    auto at = [](const std::vector<double>& x, size_t n) { return x[std::min(n, x.size() - 1)]; };
    const Row all[] = {
        {"y = x + 0 * x[0]", [&](auto& x, size_t n) { return x[n]; }},
        {"y[n] = x[0] + 0 * x[n]", [&](auto& x, size_t) { return x[0]; }},
        {"y[n] = x[-1] + 0 * x[n]", [&](auto& x, size_t) { return x.back(); }},
        {"y[n] = x[:1][0] - x[-1:][0] + 0 * x[n]", [&](auto& x, size_t) { return x[0] - x.back(); }},
        {"y = x[::-1]", [&](auto& x, size_t n) { return x[x.size() - 1 - n]; }},
        {"y = x[0:N]", [&](auto& x, size_t n) { return x[n]; }},
        {"y[n < N] = x[N - 1 - n]", [&](auto& x, size_t n) { return x[x.size() - 1 - n]; }},
        {"y[n < N] = x[min(n + 1, N - 1)]", [&](auto& x, size_t n) { return at(x, n + 1); }},
        {"y[n] = where(n > 0, x[max(n - 1, 0)], 0) + 0 * x[n]", [&](auto& x, size_t n) { return n ? x[n - 1] : 0; }},
        {"y[n < N] = x[(n + 2) % N]", [&](auto& x, size_t n) { return x[(n + 2) % x.size()]; }},
        {"y[n < N] = x[n // 2]", [&](auto& x, size_t n) { return x[n / 2]; }},
        {"s[n, m] = x[n] * x[m] + 3 * x[m];  y[n] = s[n, n]",
         [&](auto& x, size_t n) { return x[n] * x[n] + 3 * x[n]; }},
        {"y[n] = sum[m < n + 1](x[m])",
         [&](auto& x, size_t n) { return std::accumulate(x.begin(), x.begin() + long(n) + 1, 0.0); }},
        {"y[n] = max[m < n + 1](x[m]) + 0 * x[n]",
         [&](auto& x, size_t n) { return *std::max_element(x.begin(), x.begin() + long(n) + 1); }},
        {"y[n < N] = mean[m < N - n](x[m])",
         [&](auto& x, size_t n) { return std::accumulate(x.begin(), x.end() - long(n), 0.0) / double(x.size() - n); }},
    };
    for (const Row& row : all) {
        ModelText text("model m(x: f32[N]) { " + std::string(row.body) + ";  return y }");
        INFO(row.body << "\n" << text.errors());
        CHECK(text.job);
        if (!text.job) continue;
        for (int64_t n : {1, 2, 5}) {
            Environment environment = draw(text, text.model("m").graph, n);
            auto& x = environment.fields.at("x").values;
            Tensor y = value_of(text, "m", environment);
            REQUIRE(y.values.size() == x.size());
            for (size_t i = 0; i < x.size(); ++i) CHECK(y.values[i] == Approx(row.expected(x, i)).margin(1e-6));
        }
        CHECK(gradient_error(text, "m", 4) < 1e-6);
    }
}

TEST_CASE("a const is set from the command line, files use each other") {
    Options options;
    options.set = {{"wide", "3"}};
    std::map<std::string, std::string> files{{"parts.grad", "const more = 2\nfn double(x) = more * x\n"}};
    ModelText text("use \"parts.grad\"\nconst wide = 2\nmodel m() { return double(full(1, [wide])) }", options, files);
    INFO(text.errors());
    REQUIRE(text.job);
    CHECK(value_of(text, "m", draw(text, text.model("m").graph, 1)).values == std::vector<double>{2, 2, 2});
}

TEST_CASE("f32 is what --dtype says") {
    Options options;
    options.precision = Dtype::f64;
    ModelText text("model m(x: f32[N, 2]) { return linear(x, 3) }", options);
    REQUIRE(text.job);
    CHECK(text.job->variables[0].type.dtype == Dtype::f64);
    ModelText wide("model m(x: f64[N, 2]) { return lstm(reshape(linear(x, 2), [N, 2, 1]), 3) }");
    INFO(wide.errors());
    REQUIRE(wide.job);
    for (const Variable& each : wide.job->variables) CHECK(each.type.dtype == Dtype::f64);
}
