// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One kernel after another; tables and buffers are the plan's.
#include "compiler/program/lower.h"
#include "compiler/graph/formula.h"
#include "compiler/graph/print.h"
#include "compiler/program/code.h"
#include "compiler/program/fused_key.h"
#include "compiler/program/merge.h"
#include "compiler/program/nest.h"
#include "compiler/program/work.h"
#include <algorithm>
#include <map>
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

/// Minimum of bytes moved: each buffer is read once and written once, completely.
double moved_bytes(const loop::Kernel& kernel, const std::vector<loop::Buffer>& buffers) {
    std::set<loop::BufferId> read, written;
    loop::for_each_statement(kernel.body, [&](const auto& node) {
        if constexpr (std::is_same_v<decltype(node), const loop::Load&>) read.insert(node.buffer);
        if constexpr (std::is_same_v<decltype(node), const loop::Store&>) written.insert(node.buffer);
    });
    double result = 0;
    for (const auto& some : {read, written})
        for (loop::BufferId id : some)
            if (id < buffers.size()) result += double(buffers[id].size); // others are local
    return result;
}

/// Multiplications and additions of one call of the program: a loop of the table repeats its kernels. Recomputation
/// that saves memory does not count.
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

/// Of each node that is stored, the name of its buffer; "" for others.
std::vector<std::string> stored_names(const Plan& plan, const ProgramPlan& program) {
    std::vector<std::string> names(program.flat.graph.size());
    for (const FusedKernel& kernel : program.kernels)
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members)
                if (!member.stores.empty() && !member.copies)
                    names[index(member.node)] = plan.buffers[member.stores[0].buffer].name;
    return names;
}

/// "h = max(linear_1 + mlp.linear_1.bias, 0) : f32[N, 256]", for each value that the kernel computes.
std::vector<std::string> comments(const FusedKernel& kernel, const Plan& plan, const Graph& graph,
                                  const std::vector<std::string>& names) {
    std::vector<std::string> result;
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members) {
            bool copy = member.copies && member.from;
            std::string what = copy ? plan.buffers[member.from->buffer].name : formula(graph, member.node, names);
            std::string name = graph[member.node].name;
            if (name.empty() && !member.stores.empty()) name = plan.buffers[member.stores[0].buffer].name;
            if (what == name) what = "copy";
            result.push_back((name.empty() ? "" : name + " = ") + what + " : " + print(graph.type(member.node)));
        }
    return result;
}

loop::Kernel lower_kernel(const FusedKernel& fused, const Surroundings& around, std::vector<loop::Buffer>& locals) {
    const Graph& graph = around.program.flat.graph;
    loop::Kernel kernel;
    kernel.flops = multiplications(fused, graph, around.plan.batch);
    KernelTask task{fused, around, kernel, lanes_of(whole_of(fused, around.program), graph, around.machine), locals};
    switch (fused.kind) {
    case FusedKernel::Kind::nest: lower_nest(task); break;
    case FusedKernel::Kind::product: lower_product(task); break;
    case FusedKernel::Kind::scatter: lower_scatter(task); break;
    }
    if (!fused.moved.empty()) move_buffers(kernel.body, fused.moved);
    kernel.bytes = moved_bytes(kernel, around.plan.buffers);
    kernel.nanoseconds = nanoseconds_of(fused, kernel, around, task.lanes);
    return kernel;
}

/// A kernel with the same key as `function`: all of it but buffers and streams.
loop::Kernel copy_of(const loop::Kernel& function, loop::KernelNumber number, const FusedKey& there,
                     const FusedKey& here) {
    loop::Kernel kernel;
    kernel.extent = function.extent;
    kernel.grain = function.grain > 0 ? 1 : 0;
    kernel.flops = function.flops;
    kernel.bytes = function.bytes;
    kernel.nanoseconds = function.nanoseconds;
    kernel.same_as = number;
    auto place = [](const auto& all, auto value) {
        return size_t(std::find(all.begin(), all.end(), value) - all.begin());
    };
    for (loop::BufferId id : loop::buffers_in(function.body)) {
        size_t at = place(there.buffers, id);
        kernel.buffers.push_back(at < there.buffers.size() ? here.buffers[at] : id); // a local one serves for both
    }
    for (uint64_t stream : function.streams) kernel.streams.push_back(here.streams.at(place(there.streams, stream)));
    return kernel;
}

class Lowering {
public:
    Lowering(const Plan& plan, const MathLibrary& math, const LowerOptions& options)
        : plan_(plan), math_(math), options_(options) {
        module_.name = plan.name;
        module_.buffers = plan.buffers;
        module_.arena_bytes = plan.arena_bytes;
        module_.batch = plan.batch;
    }

    loop::Module run(const std::vector<loop::Isa>& isas) {
        module_.isas = isas;
        for (const ProgramPlan& program : plan_.programs) {
            module_.programs.emplace_back();
            bool own = isas.size() == 1 && options_.diagnoses.count(int32_t(module_.programs.size()) - 1);
            lower_program(program, program.once && !own ? std::vector{loop::Isa::baseline} : isas);
        }
        module_.buffers.insert(module_.buffers.end(), locals_.begin(), locals_.end());
        if (options_.share) loop::merge_kernels(module_);
        return std::move(module_);
    }

private:
    void lower_program(const ProgramPlan& program, const std::vector<loop::Isa>& isas) {
        const std::vector<bool> members = stored_members(program);
        const std::vector<std::string> names = stored_names(plan_, program);
        for (loop::Isa isa : isas) {
            loop::Program& lowered = module_.programs.back()[size_t(isa)].emplace();
            lowered.name = program.name;
            lowered.table = program.table;
            lowered.results = program.results;
        }
        for (const FusedKernel& kernel : program.kernels) {
            FusedKey key;
            if (options_.share) key = fused_key(kernel, plan_, program, members);
            std::vector<std::string> formulas = comments(kernel, plan_, program.flat.graph, names);
            for (loop::Isa isa : isas) {
                Surroundings around{plan_, program, &math_, members, machine_of(isa), options_.tile};
                loop::Kernel lowered = lower_once(kernel, key, isa, around);
                lowered.name = kernel.name;
                lowered.comments = formulas;
                lowered.once = program.once;
                module_.programs.back()[size_t(isa)]->kernels.push_back(std::move(lowered));
            }
        }
        for (loop::Isa isa : isas) {
            loop::Program& lowered = *module_.programs.back()[size_t(isa)];
            set_grains(lowered, plan_.batch);
            lowered.flops = all_flops(lowered, program);
        }
    }
    /// Of kernels with the same key only the first is lowered. Kernels that recompute something have keys of their own.
    loop::Kernel lower_once(const FusedKernel& kernel, const FusedKey& key, loop::Isa isa, const Surroundings& around) {
        if (!options_.share || kernel.repeats || !kernel.moved.empty()) return lower_kernel(kernel, around, locals_);
        int program = int(module_.programs.size()) - 1;
        int number = int(module_.programs.back()[size_t(isa)]->kernels.size());
        auto [known, added] = lowered_[size_t(isa)].try_emplace(key.bytes, loop::KernelNumber{program, number}, key);
        if (added) return lower_kernel(kernel, around, locals_);
        const auto& [first, there] = known->second;
        const auto& function = module_.programs[size_t(first.program)][size_t(isa)]->kernels[size_t(first.kernel)];
        return copy_of(function, first, there, key);
    }

    const Plan& plan_;
    const MathLibrary& math_;
    const LowerOptions& options_;
    loop::Module module_;
    std::vector<loop::Buffer> locals_;
    std::array<std::map<std::string, std::pair<loop::KernelNumber, FusedKey>>, loop::isa_count> lowered_; // by key
};

} // namespace

loop::Module lower(const Plan& plan, const std::vector<loop::Isa>& isas, const MathLibrary& math,
                   const LowerOptions& options) {
    return Lowering(plan, math, options).run(isas);
}

} // namespace gradc
