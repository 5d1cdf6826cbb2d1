// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every identity of the library, at special and random numbers: exact ones are equal everywhere, fast ones within
// rounding where both sides are finite.
#include "compiler/elaborate/library/rules.h"
#include "compiler/graph/rewrite.h"
#include "tests/support/model_text.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace gradc;

namespace {

const std::vector<double> special{0, -0.0, 1, -1, 2, 0.5, 100, -100, 1e30, 1e-30, INFINITY, -INFINITY, NAN};

struct Sides {
    double left, right;
};

/// Both sides at these values of the wildcards.
Sides at(const PatternRule& rule, const std::vector<double>& values) {
    Graph graph = rule.graph;
    graph.outputs = {{"left", rule.left}, {"right", rule.right}};
    Environment environment;
    for (size_t i = 0; i < values.size(); ++i) environment.fields[rule.wildcards[i].name] = {{}, {values[i]}};
    auto results = evaluate(graph, environment);
    return {results[0].values[0], results[1].values[0]};
}

bool equal(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool close(double a, double b, double scale) {
    if (!std::isfinite(a) || !std::isfinite(b)) return true;
    return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b), scale});
}

} // namespace

TEST_CASE("identities hold") {
    ModelText text("rule fast tanh(x) * c -> x when c > 7 and c < 9\nmodel m() { return 1 }");
    INFO(text.errors());
    REQUIRE(text.job);
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    size_t mine = 0, tried = 0;
    for (const PatternRule& rule : *text.job->pattern_rules) {
        if (rule.text == "tanh(x) * c -> x") { // a rule of the user's file has its condition
            ++mine;
            CHECK(rule.condition({8}));
            CHECK(!rule.condition({9}));
            continue;
        }
        for (int iteration = 0; iteration < 400; ++iteration) {
            std::vector<double> values, constants;
            for (const Wildcard& each : rule.wildcards) {
                bool drawn = !rule.exact || random() % 2;
                values.push_back(drawn ? 3 * normal(random) : special[random() % special.size()]);
                if (each.constant) values.back() = double(int(random() % 9) - 4) / 2;
                if (each.constant) constants.push_back(values.back());
            }
            if (rule.condition && !rule.condition(constants)) continue;
            Sides sides = at(rule, values);
            INFO(rule.text << " at " << Catch::Detail::stringify(values));
            if (rule.exact) CHECK(equal(sides.left, sides.right));
            else CHECK(close(sides.left, sides.right, 0));
            ++tried;
        }
    }
    CHECK(mine == 1);
    CHECK(tried > 5000);
}
