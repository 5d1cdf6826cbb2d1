// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc inspect --html: one page with the step of every train block or, without blocks, every model without arguments
// and its gradient.
#include "compiler/page/page.h"
#include "compiler/commands/commands.h"
#include "compiler/explain/names.h"
#include "compiler/graph/rewrite.h"
#include "compiler/pipeline.h"
#include "compiler/target/compile.h"
#include "compiler/target/machine.h"
#include "compiler/util/files.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {
namespace {

/// `graph` with the names of the derivation: nodes are hash-consed, so equal formulas are equal nodes.
void adopt_names(Graph& graph, const Derivation& derivation) {
    std::vector<NodeId> named;
    for (NodeId id : reachable(derivation.graph, derivation.adjoints))
        if (!derivation.graph[id].name.empty() && derivation.graph[id].op != Op::variable) named.push_back(id);
    named.push_back(derivation.value());
    std::vector<NodeId> found = inline_graph(derivation.graph, named, graph, {});
    for (size_t i = 0; i < named.size(); ++i) graph.rename_node(found[i], derivation.graph[named[i]].name);
}

/// The symbols of a question's parameters; its graph's names are written into `graph`.
Symbols name_program(Graph& graph, const Question& question, const DerivativeRules& rules) {
    auto derivation = derive(question, question.parameters, rules);
    if (!derivation) return {};
    Symbols symbols = name_values(*derivation, question);
    adopt_names(graph, *derivation);
    return symbols;
}

/// "train.adam.m/mlp.linear_1.weight" is called m(W1).
void name_optimizer_states(Symbols& symbols, const TrainingJob& job) {
    for (const Variable& variable : job.variables) {
        size_t slash = variable.path.find('/');
        if (slash == std::string::npos) continue;
        std::string state = variable.path.substr(0, slash), of = variable.path.substr(slash + 1);
        auto symbol = symbols.find(of);
        symbols[variable.path] =
            fmt::format("{}({})", state.substr(state.rfind('.') + 1), symbol == symbols.end() ? of : symbol->second);
    }
}

VariableRoles roles_of(const TrainingJob& job) {
    VariableRoles roles;
    for (const Variable& variable : job.variables)
        roles[variable.path] = variable.role == Variable::Role::parameter   ? "parameter"
                               : variable.role == Variable::Role::optimizer ? "optimizer"
                                                                            : "state";
    return roles;
}

/// The file with its folder: "digits/model.grad".
std::string last_parts(const std::string& path) {
    size_t slash = path.rfind('/');
    size_t before = slash == 0 || slash == path.npos ? path.npos : path.rfind('/', slash - 1);
    return before == path.npos ? path : path.substr(before + 1);
}

struct Shown { // programs of the page, by name
    std::vector<std::string> names;
    std::vector<Symbols> symbols;
};

/// Names the steps of the blocks; without blocks, adds a program for each model without arguments.
Shown shown_programs(const TrainingJob& job, std::vector<NamedGraph>& programs) {
    Shown shown;
    for (const Question& question : questions(job)) {
        bool block = std::any_of(job.blocks.begin(), job.blocks.end(),
                                 [&](const TrainBlock& each) { return each.name == question.name; });
        std::string name = block ? question.name + ".step" : question.name;
        auto program =
            std::find_if(programs.begin(), programs.end(), [&](const NamedGraph& each) { return each.name == name; });
        if (block) {
            shown.symbols.push_back(name_program(program->graph, question, *job.rules));
        } else {
            Graph graph = question.graph;
            std::vector<NodeId> gradients = gradient(graph, question.value, question.parameters, *job.rules);
            std::vector<Output> outputs = {{"L", question.value}};
            for (size_t i = 0; i < gradients.size(); ++i)
                if (gradients[i] != NodeId::none)
                    outputs.push_back(
                        {"dL/d" + attribute<VariableName>(graph[question.parameters[i]]).path, gradients[i]});
            shown.symbols.push_back(name_program(graph, question, *job.rules));
            programs.push_back({name, extract(graph, outputs)});
        }
        name_optimizer_states(shown.symbols.back(), job);
        shown.names.push_back(name);
    }
    return shown;
}

} // namespace

std::string page_text(const Front& front, const CommandLine& line) {
    const TrainingJob& job = *front.job;
    ProgramGraphs collected = collect_programs(job, line, front.sources);
    if (job.blocks.empty()) collected.programs.clear();
    Shown shown = shown_programs(job, collected.programs);
    StageTimes times;
    optimize_programs(collected.programs, job, line, times);
    std::vector<loop::Isa> machines = {isas(line.isa).back()};
    Compiled compiled = lower_programs(std::move(collected.programs), std::move(collected.metadata), job, machines,
                                       times, {.memory = line.memory});
    PageContent content;
    content.title = last_parts(front.sources.all[front.main].name);
    content.subtitle =
        fmt::format("{}, at most {} rows a step", target::machine(machines[0]).name, compiled.plan.batch);
    content.text = front.sources.all[front.main].text;
    content.arena_bytes = compiled.plan.arena_bytes;
    VariableRoles roles = roles_of(job);
    for (size_t i = 0; i < shown.names.size(); ++i)
        for (size_t p = 0; p < compiled.plan.programs.size(); ++p)
            if (compiled.plan.programs[p].name == shown.names[i])
                content.programs.push_back(page_program(compiled.plan, p,
                                                        target::print_cpp_kernels(compiled.module, p, machines[0]),
                                                        shown.symbols[i], roles, front.sources, front.main));
    return html_page(std::move(content));
}

} // namespace gradc
