// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc inspect: any stage of the compilation as text.
#include "compiler/check/gradient_check.h"
#include "compiler/commands/commands.h"
#include "compiler/elaborate/library/library.h"
#include "compiler/graph/print.h"
#include "compiler/graph/rewrite.h"
#include "compiler/optimize/optimize.h"
#include "compiler/pipeline.h"
#include "compiler/program/print.h"
#include "compiler/target/compile.h"
#include "compiler/util/files.h"
#include "dsl/dump.h"
#include "dsl/parser.h"
#include "dsl/token.h"
#include <fmt/format.h>

namespace gradc {
namespace {

std::string tokens_text(const Sources& sources, uint32_t source) {
    Diagnostics ignored;
    return dump(lex(sources, source, ignored), sources, source);
}

std::string syntax_text(const Sources& sources, uint32_t source) {
    Diagnostics ignored;
    return dump(parse(sources, source, ignored));
}

/// Loss and metrics as written, block by block; circuits as they are.
std::string forward_text(const Elaborated& elaborated) {
    std::string text;
    for (const TrainBlock& block : elaborated.blocks)
        text += fmt::format("# {}: forward\n{}", block.name, print(extract(block.forward, {{"loss", block.loss}})));
    for (const auto* models : {&elaborated.circuits, &elaborated.models})
        for (const Elaborated::Circuit& model : *models)
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

/// Each model that stands alone, with the gradient of the sum of its (first) result's elements.
std::vector<NamedGraph> models_with_gradient(const Elaborated& elaborated) {
    std::vector<NamedGraph> programs;
    for (const auto* models : {&elaborated.circuits, &elaborated.models})
        for (const Elaborated::Circuit& model : *models)
            programs.push_back({model.model, with_gradient(model.graph, model.graph.outputs[0].node, model.parameters,
                                                           *elaborated.rules)});
    return programs;
}

std::string backward_text(const Elaborated& elaborated) {
    std::string text;
    for (const TrainBlock& block : elaborated.blocks)
        text += fmt::format("# {}: forward and backward\n{}", block.name,
                            print(with_gradient(block.forward, block.loss, block.parameters, *elaborated.rules)));
    for (const NamedGraph& model : models_with_gradient(elaborated))
        text += fmt::format("# {}\n{}", model.name, print(model.graph));
    return text;
}

/// The trainer's programs; of a file without train blocks its models.
ProgramGraphs shown_programs(const Front& front, const CommandLine& line, StageTimes& times) {
    ProgramGraphs shown = collect_programs(*front.elaborated, line, front.sources);
    if (front.elaborated->blocks.empty())
        for (NamedGraph& model : models_with_gradient(*front.elaborated)) shown.programs.push_back(std::move(model));
    optimize_programs(shown.programs, *front.elaborated, line, times);
    return shown;
}

std::string graphs_text(const Front& front, const CommandLine& line, bool dot) {
    StageTimes times;
    ProgramGraphs shown = shown_programs(front, line, times);
    bool trains = !front.elaborated->blocks.empty();
    std::string text;
    for (const NamedGraph& program : shown.programs)
        if (dot) {
            bool step = program.name.find(".step") != std::string::npos;
            if (trains ? step : !program.once) return print_dot(program.graph);
        } else {
            text += fmt::format("# {}\n{}", program.name, print(program.graph));
        }
    return text;
}

std::string compiled_text(const Front& front, const CommandLine& line) {
    StageTimes times;
    ProgramGraphs shown = shown_programs(front, line, times);
    Compiled compiled = lower_programs(std::move(shown.programs), std::move(shown.metadata), *front.elaborated,
                                       isas(line.isa), times, line.fuse);
    if (line.emit == "plan") return print(compiled.plan);
    if (line.emit == "program") return print(compiled.module, isas(line.isa).back());
    if (line.emit == "cpp") return target::print_cpp(compiled.module, compiled.metadata);
    if (line.emit == "object") return target::object(compiled.module, compiled.metadata);
    std::string text;
    for (loop::Isa isa : isas(line.isa))
        text += line.emit == "llvm" ? target::print_llvm(compiled.module, isa)
                                    : target::print_assembly(compiled.module, isa);
    return text;
}

int write_out(const std::string& text, const CommandLine& line) {
    if (line.output.empty()) {
        print_out(text);
        return exit_code::done;
    }
    std::string fault =
        same_file(line.output, line.model) ? "it is the model file itself" : write_file(line.output, text);
    if (fault.empty()) return exit_code::done;
    complain("gradc inspect: cannot write {}: {}\n", line.output, fault);
    return exit_code::input;
}

/// A graph as `--emit=graph` prints it, read back; one pass run over it if `--pass` names one.
int inspect_graph(const CommandLine& line, SourceReader& reader) {
    auto refused = [&](const std::string& reason) {
        fmt::print(stderr, "gradc inspect: cannot read {}: {}\n", line.model, reason);
        return exit_code::input;
    };
    std::string reason;
    auto text = reader.read(line.model, reason);
    if (!text) return refused(reason);
    auto library = load_library();
    auto graph = parse_graph(*text, library->primitives, reason);
    if (!graph) return refused(reason);
    PassContext context;
    context.rules = &library->rules;
    for (const Pass& pass : pass_table())
        if (line.pass == pass.name) *graph = pass.run(*graph, context);
    return write_out(print(*graph), line);
}

} // namespace

int inspect_command(const CommandLine& given) {
    CommandLine line = given;
    if (line.emit.empty()) line.emit = "graph";
    FileReader reader;
    if (line.model.ends_with(".graph")) return inspect_graph(line, reader);
    std::string fault;
    Front front = load(line, reader, fault);
    if (!front.elaborated) return refuse(front, fault, line);
    if (!line.html.empty()) {
        line.output = line.html;
        return write_out(page_text(front, line), line);
    }
    if (line.emit == "tokens") return write_out(tokens_text(front.sources, front.main), line);
    if (line.emit == "ast") return write_out(syntax_text(front.sources, front.main), line);
    if (line.emit == "forward") return write_out(forward_text(*front.elaborated), line);
    if (line.emit == "backward") return write_out(backward_text(*front.elaborated), line);
    if (line.emit == "graph" || line.emit == "dot")
        return write_out(graphs_text(front, line, line.emit == "dot"), line);
    return write_out(compiled_text(front, line), line);
}

} // namespace gradc
