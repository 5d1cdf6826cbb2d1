// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One function for each stage that turns results of the pipeline into text, and the table of them.
#include "compiler/stages.h"
#include "compiler/graph/print.h"
#include "compiler/graph/rewrite.h"
#include "compiler/program/print.h"
#include "compiler/target/compile.h"
#include "compiler/util/check.h"
#include "dsl/dump.h"
#include "dsl/parser.h"
#include "dsl/token.h"
#include <cstring>
#include <fmt/format.h>

namespace gradc {
namespace {

// ---- of the text -------------------------------------------------------------------------------

std::string tokens_text(const StageInput& input) {
    Diagnostics ignored;
    return dump(lex(input.front.sources, input.front.main, ignored), input.front.sources, input.front.main);
}

std::string syntax_text(const StageInput& input) {
    Diagnostics ignored;
    return dump(parse(input.front.sources, input.front.main, ignored));
}

// ---- of graphs as elaborated -------------------------------------------------------------------

/// The loss of each train block and the graph of each model that stands alone, as elaborated.
std::string forward_text(const StageInput& input) {
    const TrainingJob& job = *input.front.job;
    std::string text;
    for (const TrainBlock& block : job.blocks)
        text += fmt::format("# {}: forward\n{}", block.name, print(extract(block.forward, {{"loss", block.loss}})));
    for (const auto* models : {&job.circuits, &job.models})
        for (const TrainingJob::Circuit& model : *models)
            text += fmt::format("# {}\n{}", model.model, print(model.graph));
    return text;
}

Graph with_gradient(Graph graph, NodeId value, const std::vector<NodeId>& parameters, const DerivativeRules& rules) {
    std::vector<NodeId> gradients = gradient(graph, value, parameters, rules);
    std::vector<Output> outputs = {{"value", value}};
    for (size_t i = 0; i < parameters.size(); ++i)
        if (gradients[i] != NodeId::none)
            outputs.push_back({"d/d" + attribute<VariableName>(graph[parameters[i]]).path, gradients[i]});
    return extract(graph, outputs);
}

/// Each model that stands alone, with the gradient of the sum of its first result's elements.
std::vector<NamedGraph> models_with_gradient(const TrainingJob& job) {
    std::vector<NamedGraph> programs;
    for (const auto* models : {&job.circuits, &job.models})
        for (const TrainingJob::Circuit& model : *models)
            programs.push_back(
                {model.model, with_gradient(model.graph, model.graph.outputs[0].node, model.parameters, *job.rules)});
    return programs;
}

std::string backward_text(const StageInput& input) {
    const TrainingJob& job = *input.front.job;
    std::string text;
    for (const TrainBlock& block : job.blocks)
        text += fmt::format("# {}: forward and backward\n{}", block.name,
                            print(with_gradient(block.forward, block.loss, block.parameters, *job.rules)));
    for (const NamedGraph& model : models_with_gradient(job))
        text += fmt::format("# {}\n{}", model.name, print(model.graph));
    return text;
}

// ---- of optimized programs ---------------------------------------------------------------------

/// The trainer's programs; if the file has no train blocks, its models.
ProgramGraphs shown_programs(const Front& front, const CompileOptions& options, StageTimes& times) {
    ProgramGraphs shown = collect_programs(*front.job, options, front.sources);
    if (front.job->blocks.empty())
        for (NamedGraph& model : models_with_gradient(*front.job)) shown.programs.push_back(std::move(model));
    optimize_programs(shown.programs, *front.job, options, times);
    return shown;
}

std::string graphs_text(const StageInput& input) {
    std::string text;
    for (const NamedGraph& program : input.shown->programs)
        text += fmt::format("# {}\n{}", program.name, print(program.graph));
    return text;
}

/// The first step; if the file has no train blocks, the first model.
std::string dot_text(const StageInput& input) {
    bool trains = !input.front.job->blocks.empty();
    for (const NamedGraph& program : input.shown->programs) {
        bool step = program.name.find(".step") != std::string::npos;
        if (trains ? step : !program.once) return print_dot(program.graph);
    }
    return {};
}

// ---- of the compiled module --------------------------------------------------------------------

std::string plan_text(const StageInput& input) { return print(input.compiled->plan); }
std::string program_text(const StageInput& input) {
    return print(input.compiled->module, input.compiled->module.isas.back());
}
std::string cpp_text(const StageInput& input) {
    return target::print_cpp(input.compiled->module, input.compiled->metadata);
}
std::string object_bytes(const StageInput& input) {
    return target::object(input.compiled->module, input.compiled->metadata);
}
std::string llvm_text(const StageInput& input) {
    std::string text;
    for (loop::Isa isa : input.compiled->module.isas) text += target::print_llvm(input.compiled->module, isa);
    return text;
}
std::string assembly_text(const StageInput& input) {
    std::string text;
    for (loop::Isa isa : input.compiled->module.isas) text += target::print_assembly(input.compiled->module, isa);
    return text;
}

} // namespace

const std::vector<PipelineStage>& stage_table() {
    using enum StageNeeds;
    static const std::vector<PipelineStage> table = {
        {"tokens", text, "", tokens_text},        {"ast", text, "", syntax_text},
        {"forward", text, "", forward_text},      {"backward", text, "", backward_text},
        {"graph", programs, "", graphs_text},     {"plan", compiled, "", plan_text},
        {"program", compiled, "", program_text},  {"cpp", compiled, ".cpp", cpp_text},
        {"llvm", compiled, ".ll", llvm_text},     {"asm", compiled, ".s", assembly_text},
        {"object", compiled, ".o", object_bytes}, {"dot", programs, "", dot_text},
    };
    return table;
}

std::string stage_list() {
    static constexpr const char* needs[] = {"text", "programs", "compiled"};
    std::string list;
    for (const PipelineStage& stage : stage_table())
        list += fmt::format("{} {}\n", stage.name, needs[int(stage.needs)]);
    return list;
}

const PipelineStage& stage_named(const std::string& name) {
    for (const PipelineStage& stage : stage_table())
        if (name == stage.name) return stage;
    throw InternalError("stages", "there is no stage " + name);
}

std::string stage_text(const std::string& name, const Front& front, const CompileOptions& options) {
    const PipelineStage& stage = stage_named(name);
    StageInput input{front};
    if (stage.needs == StageNeeds::text) return stage.print(input);
    StageTimes times;
    ProgramGraphs shown = shown_programs(front, options, times);
    input.shown = &shown;
    if (stage.needs == StageNeeds::programs) return stage.print(input);
    Compiled compiled =
        lower_programs(std::move(shown.programs), std::move(shown.metadata), *front.job, isas(options.isa), times,
                       {.fuse = options.fuse, .share = options.share, .memory = options.memory});
    input.compiled = &compiled;
    return stage.print(input);
}

} // namespace gradc
