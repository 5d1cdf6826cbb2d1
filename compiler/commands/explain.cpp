// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc explain: the derivative of a training loss, or of a model without arguments, by one parameter, step by step.
// Without a parameter it lists the parameters.
#include "compiler/commands/commands.h"
#include "compiler/explain/explanation.h"
#include "compiler/pipeline.h"
#include "dsl/diagnostic.h"
#include <fmt/format.h>

namespace gradc {
namespace {

std::string path_of(const Question& question, NodeId parameter) {
    return attribute<VariableName>(question.graph[parameter]).path;
}

int list_parameters(const std::vector<Question>& all) {
    size_t widest = 0;
    for (const Question& question : all)
        for (NodeId id : question.parameters) widest = std::max(widest, path_of(question, id).size());
    for (const Question& question : all) {
        fmt::print("{}\n", question.name);
        for (NodeId id : question.parameters)
            fmt::print("  {:{}}  {}\n", path_of(question, id), widest, dimensions(question.graph.type(id).shape));
    }
    return exit_code::done;
}

int unknown_parameter(const std::vector<Question>& all, const CommandLine& line) {
    std::vector<std::string> known;
    std::string ends;
    for (const Question& question : all)
        for (NodeId id : question.parameters) {
            known.push_back(path_of(question, id));
            if (known.back().ends_with("." + line.parameter)) ends += (ends.empty() ? "`" : ", `") + known.back() + "`";
        }
    auto near = nearest(line.parameter, known);
    complain("gradc explain: {} has no parameter `{}`{}\n", line.model, line.parameter,
             !ends.empty() ? " alone: which of " + ends + "?"
             : near        ? fmt::format(" (did you mean `{}`?)", *near)
                           : "; `gradc explain " + line.model + "` lists them");
    return exit_code::usage;
}

} // namespace

int explain_command(const CommandLine& line) {
    FileReader reader;
    std::string error;
    Front front = load(line, reader, error);
    if (!front.job) return refuse(front, error, line);
    std::vector<Question> all = questions(*front.job);
    bool any = false, found = false;
    for (const Question& question : all) any = any || !question.parameters.empty();
    if (!any) {
        complain("gradc explain: {} has no parameters to differentiate by\n", line.model);
        return exit_code::input;
    }
    if (line.parameter.empty()) return list_parameters(all);
    ExplainOptions options{isas(line.isa), line.disabled_passes};
    for (const Question& question : all) {
        NodeId parameter = parameter_named(question, line.parameter);
        if (parameter == NodeId::none) continue;
        auto explanation = explain(*front.job, question, parameter, options);
        std::string text = explanation ? print(*explanation, front.sources)
                                       : fmt::format("{} does not depend on {}: its derivative is 0\n", question.name,
                                                     path_of(question, parameter));
        text = (found ? "\n" : "") + text;
        std::fwrite(text.data(), 1, text.size(), stdout);
        found = true;
    }
    return found ? exit_code::done : unknown_parameter(all, line);
}

} // namespace gradc
