// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The back half of the pipeline: optimizes each program, plans all of them together, lowers them to loops and fills in
// the tables of the trainer.
#include "compiler/bits.h"
#include "compiler/check/gradient_check.h"
#include "compiler/graph/print.h"
#include "compiler/optimize/optimize.h"
#include "compiler/pipeline.h"
#include "compiler/program/lower.h"
#include "compiler/program/multi_step.h"
#include "compiler/target/machine.h"
#include "compiler/util/check.h"
#include "compiler/util/files.h"
#include "compiler/util/stopwatch.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {
namespace {

gradc_role role_of(Variable::Role role) {
    switch (role) {
    case Variable::Role::parameter: return GRADC_PARAMETER;
    case Variable::Role::state: return GRADC_STATE;
    case Variable::Role::optimizer: return GRADC_OPTIMIZER;
    case Variable::Role::statistic: return GRADC_STATISTIC;
    case Variable::Role::accumulator: return GRADC_ACCUMULATOR;
    }
    return GRADC_STATE;
}

/// The named tensors of the arena: fields, scalars and variables, in order of their buffers.
void describe_tensors(const std::vector<loop::Buffer>& buffers, const TrainingJob& job, Metadata& metadata) {
    std::map<std::string, const Variable*> variables;
    for (const Variable& variable : job.variables) variables[variable.path] = &variable;
    using Role = loop::Buffer::Role;
    for (size_t i = 0; i < buffers.size(); ++i) {
        const loop::Buffer& buffer = buffers[i];
        auto id = loop::BufferId(i);
        if (buffer.role == Role::field) metadata.tensors.push_back({buffer.name, buffer.name, GRADC_FIELD, id});
        if (buffer.role == Role::scalar) metadata.tensors.push_back({buffer.name, buffer.name, GRADC_SCALAR, id});
        if (buffer.role != Role::variable) continue;
        const Variable& variable = *variables.at(buffer.name);
        metadata.tensors.push_back({variable.path, variable.saved_as, role_of(variable.role), id});
        if (variable.role == Variable::Role::parameter) metadata.parameter_bytes += buffer.size;
        if (variable.role == Variable::Role::optimizer) metadata.optimizer_bytes += buffer.size;
    }
}

void find_flag_scalars(const TrainingJob& job, Metadata& metadata) {
    for (size_t b = 0; b < job.blocks.size(); ++b)
        for (size_t f = 0; f < job.blocks[b].flags.size(); ++f)
            for (size_t t = 0; t < metadata.tensors.size(); ++t)
                if (metadata.tensors[t].role == GRADC_SCALAR &&
                    metadata.tensors[t].name == job.blocks[b].flags[f].input)
                    metadata.blocks[b].flag_scalars[f] = int32_t(t);
}

void dump(const std::string& path, const std::string& text) {
    if (std::string error = write_file(path, text); !error.empty())
        throw MachineError(fmt::format("cannot write {}: {}", path, error));
}

void dump_pass(const std::string& folder, const std::string& program, int number, const Pass& pass, const Graph& before,
               const Graph& after) {
    std::string text = print(after);
    if (text == print(before)) text = "unchanged\n";
    dump(fmt::format("{}/{}/{:02}-{}.graph", folder, program, number, pass.name), text);
}

} // namespace

std::vector<loop::Isa> isas(const std::string& choice) {
    if (choice == "baseline") return {loop::Isa::baseline};
    if (choice == "avx2") return {loop::Isa::avx2};
    if (choice == "avx512") return {loop::Isa::avx512};
    if (choice == "native") return {target::host_isas().back()};
    return {loop::Isa::baseline, loop::Isa::avx2, loop::Isa::avx512};
}

void optimize_programs(std::vector<NamedGraph>& programs, const TrainingJob& job, const CompileOptions& given,
                       StageTimes& times, int64_t batch) {
    Stopwatch optimizing;
    OptimizeOptions options;
    options.disabled = given.disabled_passes;
    options.context.rules = job.pattern_rules.get();
    options.context.batch = batch ? batch : largest_batch(job);
    for (NamedGraph& program : programs) {
        if (!given.dump_dir.empty()) {
            check_machine(make_folders(given.dump_dir + "/" + program.name), "cannot make " + given.dump_dir);
            dump(fmt::format("{}/{}/00-elaborated.graph", given.dump_dir, program.name), print(program.graph));
        }
        options.observe = [&](int number, const Pass& pass, const Graph& before, const Graph& after, double seconds) {
            times.passes.push_back({fmt::format("{} {}", program.name, pass.name), seconds});
            if (!given.dump_dir.empty()) dump_pass(given.dump_dir, program.name, number, pass, before, after);
        };
        program.graph = optimize(std::move(program.graph), options);
    }
    times.stages.push_back({"optimize", optimizing.seconds()});
}

static std::set<std::string> accumulators(const TrainingJob& job) {
    std::set<std::string> paths;
    for (const Variable& variable : job.variables)
        if (variable.role == Variable::Role::accumulator) paths.insert(variable.path);
    return paths;
}

static double mebibytes(int64_t bytes) { return double(bytes) / (1 << 20); }

static void check_budget(const Plan& plan, int64_t memory) {
    if (memory == 0 || plan.arena_bytes <= memory) return;
    throw MachineError(fmt::format(
        "--memory {:.2f} MiB is too little for {}: the smallest peak that was found needs {:.2f} MiB ({} bytes)",
        mebibytes(memory), plan.name, std::ceil(100 * mebibytes(plan.arena_bytes)) / 100, plan.arena_bytes));
}

Compiled lower_programs(std::vector<NamedGraph> programs, Metadata metadata, const TrainingJob& job,
                        const std::vector<loop::Isa>& isas, StageTimes& times, const CodeOptions& given) {
    Compiled result;
    Stopwatch planning;
    PlanOptions options;
    options.name = job.name;
    options.batch = given.batch ? given.batch : largest_batch(job);
    options.fuse = given.fuse;
    options.memory = given.fuse ? given.memory : 0;
    metadata.bits = bits_hashes(programs, metadata, *job.math, given.fuse, isas);
    result.plan = make_plan(std::move(programs), options);
    check_budget(result.plan, options.memory);
    times.stages.push_back({"plan", planning.seconds()});
    Stopwatch lowering;
    LowerOptions lowering_options{.share = given.share};
    for (const Metadata::Block& block : metadata.blocks) lowering_options.diagnoses.insert(block.diagnose);
    result.module = lower(result.plan, isas, *job.math, lowering_options);
    if (given.fuse) loop::add_multi_step(result.module, accumulators(job));
    times.stages.push_back({"lower", lowering.seconds()});
    result.metadata = std::move(metadata);
    describe_tensors(result.module.buffers, job, result.metadata);
    find_flag_scalars(job, result.metadata);
    result.metadata.activation_bytes = result.plan.kept;
    result.metadata.scratch_bytes = result.plan.parts.activations - result.plan.kept;
    result.metadata.least_bytes = result.plan.least;
    return result;
}

Recomputed recomputed(const Compiled& compiled, size_t number) {
    Recomputed result;
    const ProgramPlan& plan = compiled.plan.programs[number];
    const auto& versions = compiled.module.programs[number];
    const auto& own = versions[size_t(compiled.module.isas.front())];
    const loop::Program& program = own ? *own : *versions[size_t(loop::Isa::baseline)];
    for (const loop::Step& step : plan.table) {
        if (step.kind != loop::Step::Kind::kernel || !plan.kernels[step.kernel].repeats) continue;
        ++result.kernels;
        result.flops += program.kernels[step.kernel].flops;
    }
    result.share = program.flops > 0 ? result.flops / program.flops : 0;
    return result;
}

Compiled compile(const TrainingJob& job, const CompileOptions& options, const Sources& sources, StageTimes& times) {
    ProgramGraphs collected = collect_programs(job, options, sources);
    optimize_programs(collected.programs, job, options, times);
    return lower_programs(std::move(collected.programs), std::move(collected.metadata), job, isas(options.isa), times,
                          {.fuse = options.fuse, .share = options.share, .memory = options.memory});
}

} // namespace gradc
