// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Plans every program over the shared buffers, assigns addresses, and prints the plan as text.
#include "compiler/plan/plan.h"
#include "compiler/graph/print.h"
#include "compiler/plan/program_plan.h"
#include <fmt/format.h>

namespace gradc {

static Plan planned(const std::vector<NamedGraph>& graphs, const PlanOptions& options) {
    Plan plan;
    plan.name = options.name;
    plan.batch = options.batch;
    Buffers buffers(options.batch);
    for (const NamedGraph& named : graphs) {
        plan.programs.push_back(plan_program(named, buffers, options));
        plan.programs.back().once = named.once;
        plan.steps += plan.programs.back().steps;
    }
    plan.buffers = std::move(buffers.all());
    lay_out_panels(plan);
    assign_memory(plan, options);
    return plan;
}

/// If the budget is too small for the usual order of kernels, the lean order is tried.
Plan make_plan(std::vector<NamedGraph> graphs, const PlanOptions& options) {
    PlanOptions usual = options;
    usual.memory = 0;
    Plan plan = planned(graphs, usual);
    if (options.memory == 0 || !options.fuse || plan.arena_bytes <= options.memory) return plan;
    Plan lean = planned(graphs, options);
    return lean.arena_bytes < plan.arena_bytes ? std::move(lean) : std::move(plan);
}

namespace {

std::string place_text(const Plan& plan, const Storage& place) {
    std::string text = plan.buffers[place.buffer].name;
    for (auto [depth, stride] : place.iterations) text += fmt::format("[turn {}]", depth);
    return text;
}

std::string member_text(const Plan& plan, const ProgramPlan& program, const Member& member) {
    const Graph& graph = program.flat.graph;
    std::string text = "        ";
    if (member.copies)
        text += "copy of " + (member.from ? place_text(plan, *member.from)
                                          : fmt::format("%{} {}", index(member.node), graph[member.node].name));
    else text += fmt::format("%{} = {}", index(member.node), formula(graph, member.node));
    text += " : " + print(graph.type(member.node));
    for (const Storage& place : member.stores) text += " -> " + place_text(plan, place);
    return text + "\n";
}

std::string kernel_text(const Plan& plan, const ProgramPlan& program, const FusedKernel& kernel, int indent) {
    static constexpr const char* kinds[] = {"nest", "product", "scatter"};
    std::string text = fmt::format("    {:{}}{} {} over {}\n", "", 2 * indent, kinds[int(kernel.kind)], kernel.name,
                                   print(kernel.space));
    for (const Stage& stage : kernel.stages) {
        if (!stage.inner.empty()) text += fmt::format("      for {}\n", print(stage.inner));
        for (const Member& member : stage.members) text += member_text(plan, program, member);
    }
    return text;
}

} // namespace

std::string print(const Plan& plan) {
    static constexpr const char* roles[] = {"field",      "scalar",  "variable", "result",
                                            "activation", "scratch", "constant", "local"};
    double over_least = double(plan.arena_bytes) / double(std::max<int64_t>(1, plan.least));
    std::string text = fmt::format("plan {}: batch {}, {} bytes, {:.3f} of the {} that live at one step\n", plan.name,
                                   plan.batch, plan.arena_bytes, over_least, plan.least);
    const MemoryParts& parts = plan.parts;
    text += fmt::format("  variables {}, fields {}, results {}, constants {}, activations {}, scratch {}\n",
                        parts.variables, parts.fields, parts.results, parts.constants, plan.kept,
                        parts.activations - plan.kept);
    for (const ProgramPlan& program : plan.programs) {
        text += fmt::format("program {}\n", program.name);
        int indent = 0;
        for (const loop::Step& step : program.table) switch (step.kind) {
            case loop::Step::Kind::kernel:
                text += kernel_text(plan, program, program.kernels[step.kernel], indent);
                break;
            case loop::Step::Kind::loop_begin:
                text += fmt::format("    {:{}}repeat {}{}\n", "", 2 * indent++, step.iterations,
                                    step.reverse ? " backwards" : "");
                break;
            case loop::Step::Kind::loop_end: --indent; break;
            case loop::Step::Kind::guard: text += "    guard\n"; break;
            }
    }
    text += "buffers\n";
    for (const loop::Buffer& buffer : plan.buffers)
        text += fmt::format("    {:>10} +{:<8} {} {} : {}{}\n", buffer.offset, buffer.size, roles[int(buffer.role)],
                            buffer.name, print(Type{buffer.dtype, buffer.shape}),
                            buffer.panel ? fmt::format(" in panels of {}", buffer.panel) : "");
    return text;
}

} // namespace gradc
