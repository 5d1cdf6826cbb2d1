// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The definitions of math.grad compared with the C library in a wider type, in units of the last place. The arguments:
// every 20,011th float (infinities, NaN and denormals included), random doubles, and values at which formulas change.
#include "compiler/elaborate/library/math.h"
#include "compiler/graph/build.h"
#include "compiler/graph/evaluate.h"
#include "dsl/parser.h"
#include "tests/support/model_text.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

using namespace gradc;

namespace {

struct Approximations {
    std::shared_ptr<PrimitiveTable> table = std::make_shared<PrimitiveTable>();
    std::shared_ptr<const MathLibrary> math;

    Approximations() {
        for (const char* name : {"exp", "log", "expm1", "log1p", "sin", "cos", "tanh", "erf", "erfc"})
            table->declare(name, 1);
        table->declare("pow", 2);
        std::ifstream file(GRADC_SOURCE_DIR "/dsl/std/math.grad");
        std::ostringstream text;
        text << file.rdbuf();
        Sources sources;
        uint32_t number = sources.add({"std/math.grad", text.str(), {}});
        Diagnostics diagnostics;
        auto module = parse(sources, number, diagnostics);
        INFO(print(diagnostics, sources));
        REQUIRE_FALSE(diagnostics.failed());
        math = make_math_library(module, table);
    }

    /// The definition applied to columns of numbers, each op rounded to the element.
    std::vector<double> operator()(const char* name, Dtype dtype,
                                   const std::vector<std::vector<double>>& columns) const {
        const Graph* scalar = math->definition(*table->find(name), dtype);
        REQUIRE(scalar);
        Graph graph(table);
        std::vector<NodeId> to(scalar->size());
        Environment environment;
        environment.rows = int64_t(columns[0].size());
        environment.round_f32 = true;
        for (uint32_t i = 0; i < scalar->size(); ++i) {
            const Node& node = (*scalar)[NodeId(i)];
            if (node.op == Op::input) {
                const std::string& argument = attribute<Input>(node).name;
                to[i] = graph.add(Op::input, {dtype, {rows}}, {}, Input{Input::Source::field, argument, 0, -1});
                environment.fields[argument] = {{environment.rows}, columns[std::stoul(argument)]};
            } else if (node.op == Op::constant)
                to[i] = build::constant(graph, attribute<Constant>(node).values[0], node.type.dtype, {rows});
            else {
                REQUIRE(node.op == Op::elementwise);
                std::vector<NodeId> inputs;
                for (NodeId input : node.inputs) inputs.push_back(to[index(input)]);
                to[i] = build::elementwise(graph, attribute<Elementwise>(node).primitive, inputs);
            }
        }
        graph.outputs = {{"value", to[index(scalar->outputs[0].node)]}};
        return evaluate(graph, environment)[0].values;
    }
};

double unit_in_the_last_place(double value, Dtype dtype) {
    bool single = dtype == Dtype::f32;
    double smallest = single ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
    int exponent;
    std::frexp(std::max(std::fabs(value), smallest), &exponent);
    return std::ldexp(1.0, exponent - (single ? 24 : 53));
}

/// Largest error in units of the last place; a wrong infinity or NaN counts as infinite.
double error(double got, long double want, Dtype dtype) {
    double rounded = dtype == Dtype::f32 ? double(float(want)) : double(want);
    if (std::isnan(rounded) && std::isnan(got)) return 0;
    if (got == rounded) return 0;
    if (!std::isfinite(got) || !std::isfinite(rounded)) return INFINITY;
    return double(std::fabs((long double)got - want)) / unit_in_the_last_place(rounded, dtype);
}

std::vector<double> floats(double limit) {
    std::vector<double> result = {0.0, -0.0, 100, -100, 1, -1, INFINITY, -INFINITY, NAN};
    for (uint64_t bits = 0; bits < (1ull << 32); bits += 20011) {
        uint32_t word = uint32_t(bits);
        float value;
        std::memcpy(&value, &word, 4);
        if (!(std::fabs(value) > limit) || std::isinf(value)) result.push_back(value);
    }
    return result;
}

std::vector<double> doubles(double limit) {
    std::vector<double> result = {0.0, -0.0, 100, -100, 1, -1, INFINITY, -INFINITY, NAN};
    std::mt19937_64 random(7);
    for (int i = 0; i < 100'000; ++i) {
        double value = std::uniform_real_distribution<double>(-1, 1)(random) * limit;
        result.push_back(i % 2 ? value : value * std::exp(-30 * std::fabs(value) / limit));
    }
    return result;
}

using Wide = long double (*)(long double);

} // namespace

TEST_CASE("declared primitives of one argument are exact to a few units in the last place") {
    Approximations library;
    struct Case {
        const char* name;
        Wide wide;
        double f32_limit, f64_limit, f32_error, f64_error;
    };
    auto [name, wide, f32_limit, f64_limit, f32_error, f64_error] =
        GENERATE(Case{"exp", std::exp, INFINITY, 760, 1.1, 1.1}, Case{"log", std::log, INFINITY, 1e300, 1.0, 1.4},
                 Case{"sin", std::sin, 131072, 1e9, 3.5, 2.4}, Case{"cos", std::cos, 131072, 1e9, 3.5, 2.4},
                 Case{"tanh", std::tanh, INFINITY, 25, 1.5, 1.5}, Case{"erf", std::erf, INFINITY, 8, 2.5, 2.0},
                 Case{"expm1", std::expm1, INFINITY, 760, 2.0, 2.0},
                 Case{"log1p", std::log1p, INFINITY, 1e300, 2.0, 2.5}, Case{"erfc", std::erfc, INFINITY, 28, 4.0, 4.0});
    for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
        bool single = dtype == Dtype::f32;
        auto x = single ? floats(f32_limit) : doubles(f64_limit);
        auto y = library(name, dtype, {x});
        double worst = 0, at = 0;
        for (size_t i = 0; i < x.size(); ++i)
            if (double e = error(y[i], wide(x[i]), dtype); !(e <= worst)) worst = e, at = x[i];
        INFO(name << " " << gradc::name(dtype) << " at " << at);
        CHECK(worst < (single ? f32_error : f64_error));
    }
}

TEST_CASE("powers are exact to two units in the last place, special values included") {
    Approximations library;
    for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
        std::vector<double> x, y;
        const double ends[] = {0, -0.0, 1, -1, 2, -2, 0.5, 3, -3, 1e-30, INFINITY, -INFINITY, NAN};
        for (double a : ends)
            for (double b : ends)
                if (!(a == 0 && std::signbit(a))) x.push_back(a), y.push_back(b); // the sign of -0 is not kept
        std::mt19937_64 random(3);
        for (int i = 0; i < 100'000; ++i) {
            double a = std::exp(std::uniform_real_distribution<double>(-5, 5)(random));
            double b = std::uniform_real_distribution<double>(-15, 15)(random);
            if (i % 4 == 0) a = -a, b = std::floor(b);
            bool single = dtype == Dtype::f32;
            x.push_back(single ? double(float(a)) : a);
            y.push_back(single ? double(float(b)) : b);
        }
        if (dtype == Dtype::f32)
            for (auto* column : {&x, &y})
                for (double& value : *column) value = double(float(value));
        auto z = library("pow", dtype, {x, y});
        for (size_t i = 0; i < z.size(); ++i) {
            INFO(name(dtype) << ": " << x[i] << " ^ " << y[i] << " = " << z[i]);
            if (error(z[i], std::pow((long double)x[i], (long double)y[i]), dtype) >= 2)
                CHECK(error(z[i], std::pow((long double)x[i], (long double)y[i]), dtype) < 2);
        }
    }
}

TEST_CASE("each declared primitive has definitions for f32 and f64, and a meaning") {
    ModelText text("model m() { return 1 }");
    REQUIRE(text.job);
    const PrimitiveTable& table = *text.job->primitives;
    REQUIRE(table.size() > size_t(Primitive::first_declared));
    for (size_t number = size_t(Primitive::first_declared); number < table.size(); ++number) {
        Primitive primitive{uint16_t(number)};
        INFO(table.name(primitive));
        for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
            const Graph* form = text.job->math->definition(primitive, dtype);
            CHECK(form);
            Graph graph(text.job->primitives);
            std::vector<NodeId> halves(size_t(table.arity(primitive)), build::constant(graph, 0.5, dtype));
            graph.outputs = {{"value", build::elementwise(graph, primitive, halves)}};
            CHECK(std::isfinite(evaluate(graph, {})[0].values[0]));
        }
    }
}
