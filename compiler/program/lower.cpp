// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One kernel after another; tables and buffers are the plan's.
#include "compiler/program/lower.h"
#include "compiler/graph/print.h"
#include "compiler/program/alike.h"
#include "compiler/program/nest.h"
#include "compiler/program/work.h"
#include <set>

namespace gradc {

namespace {

double multiplications(const FusedKernel& kernel, const Graph& graph, int64_t batch) {
    double result = 0;
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members) {
            double elements = double(count(graph.type(member.node).shape, batch));
            if (member.copies) continue;
            if (is_reduction(graph, member.node)) elements *= double(count(reduced_sizes(graph, member.node), batch));
            result += graph[member.node].op == Op::contract ? 2 * elements : elements;
        }
    return result;
}

void note_buffers(const loop::Body& body, std::set<loop::BufferId>& read, std::set<loop::BufferId>& written) {
    for (const loop::Statement& statement : body) {
        if (auto* load = std::get_if<loop::Load>(&statement.node)) read.insert(load->buffer);
        if (auto* store = std::get_if<loop::Store>(&statement.node)) written.insert(store->buffer);
        if (auto* loop = std::get_if<loop::Loop>(&statement.node)) note_buffers(loop->body, read, written);
        if (auto* branch = std::get_if<loop::If>(&statement.node)) {
            note_buffers(branch->then, read, written);
            note_buffers(branch->otherwise, read, written);
        }
    }
}

/// Reads and writes other buffers of the same form instead.
void move_buffers(loop::Body& body, const std::map<loop::BufferId, loop::BufferId>& moved) {
    auto move = [&](loop::BufferId& id) {
        if (auto found = moved.find(id); found != moved.end()) id = found->second;
    };
    for (loop::Statement& statement : body) {
        if (auto* load = std::get_if<loop::Load>(&statement.node)) move(load->buffer);
        if (auto* store = std::get_if<loop::Store>(&statement.node)) move(store->buffer);
        if (auto* prefetch = std::get_if<loop::Prefetch>(&statement.node)) move(prefetch->buffer);
        if (auto* loop = std::get_if<loop::Loop>(&statement.node)) move_buffers(loop->body, moved);
        if (auto* branch = std::get_if<loop::If>(&statement.node)) {
            move_buffers(branch->then, moved);
            move_buffers(branch->otherwise, moved);
        }
    }
}

/// Bytes that have to move at least: each buffer read once and written once, whole.
double moved_bytes(const loop::Kernel& kernel, const std::vector<loop::Buffer>& buffers) {
    std::set<loop::BufferId> read, written;
    note_buffers(kernel.body, read, written);
    double result = 0;
    for (const auto& some : {read, written})
        for (loop::BufferId id : some)
            if (id < buffers.size()) result += double(buffers[id].size); // others are local
    return result;
}

/// Multiplications and additions of one call of the program: a loop of the table repeats its kernels. What is computed
/// once more to save memory does not count.
double all_flops(const loop::Program& program, const ProgramPlan& plan) {
    double result = 0, iterations = 1;
    std::vector<double> around;
    for (const loop::Step& step : program.table) {
        if (step.kind == loop::Step::Kind::kernel && !plan.kernels[step.kernel].repeats)
            result += iterations * program.kernels[step.kernel].flops;
        if (step.kind == loop::Step::Kind::loop_begin) {
            around.push_back(iterations);
            iterations *= double(step.iterations);
        }
        if (step.kind == loop::Step::Kind::loop_end) {
            iterations = around.back();
            around.pop_back();
        }
    }
    return result;
}

std::vector<std::string> comments(const FusedKernel& kernel, const Graph& graph) {
    std::vector<std::string> result;
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members) {
            std::string what = member.copies ? "copy" : formula(graph, member.node);
            const std::string& name = graph[member.node].name;
            result.push_back((name.empty() ? "" : name + " = ") + what + " : " + print(graph.type(member.node)));
        }
    return result;
}

loop::Kernel lower_kernel(const FusedKernel& fused, const Surroundings& around, std::vector<double>& nanoseconds,
                          std::vector<loop::Buffer>& locals) {
    const Graph& graph = around.program.flat.graph;
    loop::Kernel kernel;
    kernel.name = fused.name;
    kernel.comments = comments(fused, graph);
    kernel.flops = multiplications(fused, graph, around.plan.batch);
    KernelTask task{fused, around, kernel, lanes_of(whole_of(fused, around.program), graph, around.machine), locals};
    switch (fused.kind) {
    case FusedKernel::Kind::nest: lower_nest(task); break;
    case FusedKernel::Kind::product: lower_product(task); break;
    case FusedKernel::Kind::scatter: lower_scatter(task); break;
    }
    if (!fused.moved.empty()) move_buffers(kernel.body, fused.moved);
    kernel.bytes = moved_bytes(kernel, around.plan.buffers);
    nanoseconds.push_back(nanoseconds_of(fused, kernel, around, task.lanes));
    return kernel;
}

} // namespace

loop::Module lower(const Plan& plan, const std::vector<loop::Isa>& isas, const MathLibrary& math,
                   const LowerOptions& options) {
    loop::Module module;
    module.name = plan.name;
    module.buffers = plan.buffers;
    module.arena_bytes = plan.arena_bytes;
    module.batch = plan.batch;
    module.isas = isas;
    std::vector<loop::Buffer> locals;
    for (const ProgramPlan& program : plan.programs) {
        auto& versions = module.programs.emplace_back();
        const std::vector<bool> members = stored_members(program);
        for (loop::Isa isa : program.once ? std::vector{loop::Isa::baseline} : isas) {
            loop::Program result;
            result.name = program.name;
            result.table = program.table;
            result.results = program.results;
            std::vector<double> nanoseconds;
            for (const FusedKernel& kernel : program.kernels)
                result.kernels.push_back(lower_kernel(
                    kernel, {plan, program, &math, members, machine_of(isa), options.tile}, nanoseconds, locals));
            set_grains(result, nanoseconds, plan.batch);
            result.flops = all_flops(result, program);
            versions[size_t(isa)] = std::move(result);
        }
    }
    module.buffers.insert(module.buffers.end(), locals.begin(), locals.end());
    loop::mark_alike(module);
    return module;
}

} // namespace gradc
