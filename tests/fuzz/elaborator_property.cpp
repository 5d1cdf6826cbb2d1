// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elaborate, verify every graph, differentiate what stands alone; or print the diagnostics.
#include "tests/fuzz/elaborator_property.h"
#include "compiler/graph/build.h"
#include "compiler/graph/verify.h"
#include "compiler/training/job.h"
#include <fmt/format.h>

namespace gradc {

namespace {

/// One file beside the model file, for `use`.
struct OneFile : SourceReader {
    std::optional<std::string> read(const std::string& path, std::string& reason) override {
        if (path == "mine.grad") return "const M = 3\nfn twice(x) = 2 * x\nuse \"other.grad\"\n";
        if (path == "other.grad") return "fn half(x) = x / 2\n";
        reason = "there is no such file";
        return {};
    }
};

std::string outside(const Sources& sources, const Diagnostics& diagnostics) {
    for (const Diagnostic& each : diagnostics.all())
        if (each.span.known() &&
            (each.span.source >= sources.all.size() || each.span.begin > sources.all[each.span.source].text.size() ||
             each.span.end < each.span.begin))
            return "a place outside of the text: " + each.message;
    return print(diagnostics, sources).empty() ? "errors without text" : "";
}

std::string fault_of(const WholeSplit& split) {
    std::string result = verify(split.finish);
    for (const Graph& pass : split.passes) result += verify(pass);
    return result;
}

/// Of the sum of what a model returns, by all that it reads.
std::string gradient_fault(const Elaborated::Circuit& circuit, const DerivativeRules& rules) {
    Graph graph = circuit.graph;
    if (graph.outputs.empty()) return {};
    NodeId value = graph.outputs[0].node;
    const Type type = graph.type(value);
    if (!floating(type.element)) return {};
    std::vector<int> axes;
    for (int i = 0; i < type.rank(); ++i) axes.push_back(i);
    gradient(graph, build::sum(graph, value, axes), circuit.parameters, rules);
    return verify(graph);
}

} // namespace

std::string broken_elaborator_property(std::string_view text, std::shared_ptr<const Library> library) {
    Sources sources;
    Diagnostics diagnostics;
    OneFile files;
    Options options;
    options.node_limit = 3000;
    options.reads_data = false;
    options.library = std::move(library);
    uint32_t main = sources.add({"main.grad", std::string(text)});
    try {
        auto elaborated = elaborate(sources, main, files, options, diagnostics);
        if (!elaborated) return diagnostics.failed() ? outside(sources, diagnostics) : "neither graphs nor diagnostics";
        std::string fault = verify(elaborated->initial) + fault_of(elaborated->statistics);
        for (const auto& each : elaborated->models)
            fault += verify(each.graph) + gradient_fault(each, *elaborated->rules);
        for (const auto& each : elaborated->circuits)
            fault += verify(each.graph) + gradient_fault(each, *elaborated->rules);
        for (const auto& each : elaborated->blocks) {
            fault += verify(each.forward) + verify(each.step) + fault_of(each.training) + fault_of(each.evaluation);
            if (each.predict) fault += verify(*each.predict);
        }
        return fault;
    } catch (const std::exception& fault) {
        return fmt::format("an internal error: {}", fault.what());
    }
}

} // namespace gradc
