// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The figures are those of a core at 3 GHz with two vector units; a factor of two either way moves
// only the kernels for which a second thread hardly matters.
#include "compiler/program/work.h"
#include "compiler/plan/members.h"
#include <algorithm>
#include <set>

namespace gradc {

namespace {

constexpr double worth_a_worker = 6'000;  // ns of a kernel for each thread that shares it
constexpr double worth_a_pool = 50'000;   // ns of a program in kernels that are shared
constexpr double operation = 0.2;         // ns of one vector operation
constexpr double bytes_a_nanosecond = 40; // from the caches of the core
constexpr double multiply_adds = 6;       // vectors of them in a nanosecond; half without fused ones

/// Operations for one element of `id`: its own and those of the formulas inside it.
double formula_work(const Surroundings& around, const std::set<NodeId>& members, NodeId id, std::set<NodeId>& seen) {
    const Graph& graph = around.program.flat.graph;
    double result = cost_of(graph, id);
    for (NodeId input : graph[id].inputs) {
        bool elsewhere = members.count(input) || around.program.places[index(input)] || is_leaf(graph, input);
        if (!elsewhere && seen.insert(input).second) result += formula_work(around, members, input, seen);
    }
    return result;
}

double operations(const FusedKernel& kernel, const Surroundings& around) {
    const Graph& graph = around.program.flat.graph;
    std::set<NodeId> members, seen;
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members) members.insert(member.node);
    double result = 0;
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members) {
            double elements = double(count(graph.type(member.node).shape, around.plan.batch));
            if (!member.copies && is_reduction(graph, member.node))
                elements *= double(count(reduced_sizes(graph, member.node), around.plan.batch));
            result += elements * (1 + (member.copies ? 0 : formula_work(around, members, member.node, seen)));
        }
    return result;
}

double items_of(const loop::Kernel& kernel, int64_t batch) {
    const loop::Extent& extent = kernel.extent;
    return double(extent.fixed + (extent.per_row * batch + extent.divisor - 1) / extent.divisor);
}

} // namespace

double nanoseconds_of(const FusedKernel& fused, const loop::Kernel& kernel, const Surroundings& around, int lanes) {
    double moving = kernel.bytes / bytes_a_nanosecond;
    if (fused.kind == FusedKernel::Kind::product) {
        double rate = 2 * multiply_adds * double(lanes) * (around.machine.fused ? 1 : 0.5);
        return std::max(moving, kernel.flops / rate);
    }
    return std::max(moving, operations(fused, around) * operation / double(lanes));
}

void set_grains(loop::Program& program, int64_t batch) {
    double shared = 0, iterations = 1;
    std::vector<double> around;
    for (const loop::Step& step : program.table) {
        if (step.kind == loop::Step::Kind::loop_begin) {
            around.push_back(iterations);
            iterations *= double(step.iterations);
        } else if (step.kind == loop::Step::Kind::loop_end) {
            iterations = around.back();
            around.pop_back();
        } else if (step.kind == loop::Step::Kind::kernel) {
            double time = program.kernels[size_t(step.kernel)].nanoseconds;
            if (program.kernels[size_t(step.kernel)].grain > 0 && time >= 2 * worth_a_worker)
                shared += iterations * time;
        }
    }
    for (loop::Kernel& kernel : program.kernels) {
        if (kernel.grain == 0) continue;
        double items = items_of(kernel, batch), fewest = items * worth_a_worker / std::max(1.0, kernel.nanoseconds);
        if (shared < worth_a_pool) fewest = std::max(fewest, items);
        kernel.grain = std::max<int64_t>(1, int64_t(std::min(1e15, fewest)));
    }
}

} // namespace gradc
