// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elaborates, verifies every graph and differentiates models that stand alone; or prints the diagnostics.
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

std::string error_of(const WholeSplit& split) {
    std::string result = verify(split.finish);
    for (const Graph& pass : split.passes) result += verify(pass);
    return result;
}

/// The gradient of the sum of a model's results, by all its inputs.
std::string gradient_error(const TrainingJob::Circuit& circuit, const DerivativeRules& rules) {
    Graph graph = circuit.graph;
    if (graph.outputs.empty()) return {};
    NodeId value = graph.outputs[0].node;
    const Type type = graph.type(value);
    if (!floating(type.dtype)) return {};
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
        auto job = elaborate(sources, main, files, options, diagnostics);
        if (!job) return diagnostics.failed() ? outside(sources, diagnostics) : "neither graphs nor diagnostics";
        std::string error = verify(job->initial) + error_of(job->statistics);
        for (const auto& each : job->models) error += verify(each.graph) + gradient_error(each, *job->rules);
        for (const auto& each : job->circuits) error += verify(each.graph) + gradient_error(each, *job->rules);
        for (const auto& each : job->blocks) {
            error += verify(each.forward) + verify(each.step) + error_of(each.training) + error_of(each.evaluation);
            if (each.predict) error += verify(*each.predict);
        }
        return error;
    } catch (const std::exception& error) {
        return fmt::format("an internal error: {}", error.what());
    }
}

} // namespace gradc
