// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What would not end or not fit is an error with a place; so is what comes from the command line.
// The inputs would take days or more memory than there is, so that the error comes at all says that
// the limits count nodes and steps before they are made.
#include "tests/support/model_text.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gradc;

namespace {

std::string chain(const char* step, const char* first, int levels) {
    std::string text = first;
    for (int i = 1; i <= levels; ++i) text += fmt::format(fmt::runtime(step), i, i - 1);
    return text;
}

void rejected(const std::string& text, const char* part, Options options = {}) {
    ModelText model(text, options);
    INFO(text.substr(0, 200) << "\n" << model.errors());
    CHECK(!model.job);
    REQUIRE(model.diagnostics.count() > 0);
    CHECK(model.errors().find(part) != std::string::npos);
}

} // namespace

TEST_CASE("limits are errors with a place") {
    rejected("model m(x: f32[N, 2]) { repeat 1e12 { x = 2 * x };  return x }", "repeat");
    rejected("model m(x: f32[N, 2]) { repeat 1000000 { x = 2 * x + 1 };  return x }", "passes 1000000 nodes");
    rejected("model m(x: f32[N, 2]) { repeat 1000000 { repeat 1000000 { } };  return x }",
             "passes 10000000 elaboration steps");
    rejected(chain("fn f{0}(x) = f{1}(x) + f{1}(x)\n", "fn f0(x) = x\n", 60) + "model m() { return f60(1) }",
             "passes 10000000 elaboration steps");
    rejected(chain("fn f{0}(x) = f{1}(x)\n", "fn f0(x) = x\n", 2000) + "model m() { return f2000(1) }",
             "nest too deep");
    rejected("model m() { return zeros([1000000, 1000000, 1000000, 1000000]) }", "2^63 bytes");
    rejected("model m(x: f32[N, 3000000, 3000000]) { y[n, i, j, k] = x[n, i, k] * x[n, j, k];  "
             "return y }",
             "2^63 bytes");
    const char* large = "model m(x: f32[4000000000], at: int[4000000000] < 10) { ";
    for (const char* rest : {"return reshape(x, [4000000000, 1]) @ reshape(x, [1, 4000000000])",
                             "y[i, j] = sum[k < 2](x[i] * x[j]);  return y", "y[i, j] = x[i] + x[j];  return y",
                             "t = zeros([10, 4000000000]);  return t[at]", "y[h, k < 2000000000] = x[h + k];  return y",
                             "return scan t < 2000000000 with k = 0 { k = k + 1;  yield concat(x, x) }",
                             "y = zeros([4000000000, 200000000]);  return concat(y, y, y, y, y, y, y, y)"})
        rejected(std::string(large) + rest + " }", "2^63 bytes");
    rejected("model m(x: f32[N, 1000000000]) { a, b = split(x, 1000000000);  return a }", "limit of nodes");
    rejected("model m(x: f32[N, 4]) { return pad(x, [0, 9e18]) }", "integer");
}

TEST_CASE("lists are counted before they are made: entries, in all and in one another") {
    const char* tail = "model m() { return 1 }";
    rejected(chain("const a{0} = [a{1}, a{1}]\n", "const a0 = [1]\n", 60) + tail, "pass 4000000 entries");
    rejected(chain("fn f{0}(x) {{ y = f{1}(x);  return y, y }}\n", "fn f0(x) { return x, x }\n", 60) +
                 "model m() { return mean(concat(f60(1))) }",
             "pass 4000000 entries");
    rejected(chain("const a{0} = [a{1}]\n", "const a0 = [1]\n", 2000) + tail, "more than 64 levels deep");
    std::string list = "1";
    for (int i = 1; i < 100000; ++i) list += ", 1";
    rejected("const big = [" + list + "]\nmodel m() { x = 0;  repeat 10000 { x = x + big[0] };  return x }",
             "passes 10000000 elaboration steps");
    Options options;
    options.node_limit = 100;
    ModelText counted(chain("const a{0} = [a{1}, a{1}]\n", "const a0 = [1]\n", 60) + tail, options);
    CHECK(counted.errors().find("pass 400 entries") != std::string::npos);
    CHECK(counted.errors().find("const a8 = ") != std::string::npos); // 1 + 2 + .. + 128 are 255, and 256 more are not
}

TEST_CASE("a smaller limit is kept to") {
    Options options;
    options.node_limit = 100;
    rejected("model m(x: f32[N, 2]) { repeat 60 { x = 2 * x + 1 };  return x }", "passes 100 nodes", options);
}

TEST_CASE("--set names a const and gives it a number") {
    Options options;
    options.set = {{"wde", "3"}};
    rejected("const wide = 2\nmodel m() { return wide }", "did you mean `wide`?", options);
    options.set = {{"wide", "much"}};
    rejected("const wide = 2\nmodel m() { return wide }", "`much` is not a number", options);
}
