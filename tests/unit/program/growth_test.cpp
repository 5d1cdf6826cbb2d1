// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every stage in front of the backends does work in proportion to the program, but for a logarithm. Allocations are
// counted, not time: each stage makes some for each node that it looks at. And chains of 20,000 nodes pass all stages.
#include "compiler/graph/print.h"
#include "compiler/graph/verify.h"
#include "compiler/optimize/optimize.h"
#include "compiler/program/lower.h"
#include "compiler/program/print.h"
#include "compiler/program/verify.h"
#include "tests/support/agreement.h"
#include "tests/support/residual_step.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <new>

namespace {
int64_t allocations = 0;
}

void* operator new(size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size ? size : 1)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

using namespace gradc;

namespace {

/// Allocations of each stage on the way of a graph to its loops.
std::vector<std::pair<std::string, int64_t>> counted(Graph graph, int64_t batch) {
    std::vector<std::pair<std::string, int64_t>> result;
    int64_t before = allocations;
    auto stage = [&](const char* name) {
        result.push_back({name, allocations - before});
        before = allocations;
    };
    graph = optimize(std::move(graph), {});
    stage("optimize");
    CHECK(verify(graph).empty());
    stage("verify");
    CHECK(!print(graph).empty());
    stage("print");
    Plan plan = make_plan({{"step", std::move(graph)}}, {"m", batch});
    stage("plan");
    CHECK(!print(plan).empty());
    stage("print the plan");
    loop::Module module = lower(plan, {loop::Isa::avx2}, NoMath());
    stage("lower");
    CHECK(!print(module, loop::Isa::avx2).empty());
    stage("print the loops");
    return result;
}

} // namespace

TEST_CASE("the work of every stage grows no faster than n log n") {
    std::map<std::string, double> first; // allocations for each n log n
    for (int blocks : {25, 50, 100, 200, 400}) {
        Graph graph = residual_step(blocks);
        double scale = double(graph.size()) * std::log2(double(graph.size()));
        for (const auto& [stage, count] : counted(std::move(graph), 32)) {
            INFO(stage << ", " << blocks << " blocks: " << count << " allocations");
            auto [known, fresh] = first.emplace(stage, double(count) / scale);
            if (!fresh) CHECK(double(count) / scale <= 1.2 * known->second);
        }
    }
}

TEST_CASE("a chain of 20,000 nodes passes every stage") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = graph.add(Op::input, {Dtype::f32, {rows, 64}}, {}, Input{Input::Source::field, "x", 0, -1}), h = x;
    for (int i = 0; i < 20'000; ++i)
        h = build::elementwise(graph, i % 2 ? Primitive::subtract : Primitive::maximum, {x, h});
    graph.outputs = {{"y", h}};
    CHECK(counted(std::move(graph), 8).size() == 7);
}
