// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The front half of the pipeline: from the path of a model file to the graphs of a trainer's programs. The order of
// programs and their names are made here.
#include "compiler/check/diagnose.h"
#include "compiler/pipeline.h"
#include "compiler/util/files.h"
#include "compiler/util/stopwatch.h"
#include "dsl/unicode.h"
#include "runtime/base/files.h"
#include "runtime/base/hash.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

/// Lets `use` read files below these folders only (--confine).
struct ConfinedReader : SourceReader {
    ConfinedReader(SourceReader& reader, const std::vector<std::string>& folders) : reader(reader), folders(folders) {}
    std::optional<std::string> read(const std::string& path, std::string& reason) override {
        reason = runtime::Places::confined_to(folders).refusal(path);
        return reason.empty() ? reader.read(path, reason) : std::nullopt;
    }
    SourceReader& reader;
    const std::vector<std::string>& folders;
};

/// The folders that data files are searched in, in order.
std::vector<std::string> data_folders(const CompileOptions& given) {
    std::vector<std::string> folders = given.data_folders;
    const char* folder = std::getenv("GRADC_DATA");
    if (!given.confined && folder && *folder) folders.push_back(folder);
    if (!given.confined) folders.push_back(".");
    folders.push_back(folder_of(given.model));
    return folders;
}

} // namespace

Front load(const CompileOptions& given, SourceReader& reader, std::string& error) {
    Stopwatch reading;
    Front front;
    std::string reason;
    std::optional<std::string> text = reader.read(given.model, reason);
    if (!text) {
        error = fmt::format("gradc: cannot read {}: {}\n", printable(given.model), reason);
        return front;
    }
    front.main = front.sources.add({given.model, std::move(*text)});
    Options options = given;
    options.data_folders = data_folders(given);
    ConfinedReader confined(reader, options.data_folders);
    SourceReader& allowed = given.confined ? confined : reader;
    front.job = elaborate(front.sources, front.main, allowed, options, front.diagnostics);
    front.seconds = reading.seconds();
    if (front.job) fmt::print(stderr, "{}", print(front.diagnostics, front.sources, given.color)); // warnings
    return front;
}

std::string source_hash(const Sources& sources) {
    std::string all;
    for (const Source& source : sources.all)
        if (source.name.rfind("std/", 0) != 0) all += std::to_string(source.text.size()) + ":" + source.text;
    return runtime::hexadecimal(runtime::Hash::of(all));
}

namespace {

/// Adds programs and returns their numbers, for the metadata.
struct Collector {
    std::vector<NamedGraph>& programs;

    int32_t add(const std::string& name, const Graph& graph, bool once = false) {
        programs.push_back({name, graph, once});
        return int32_t(programs.size()) - 1;
    }
    Metadata::WholeSplit add(const std::string& name, const WholeSplit& split, bool once = false) {
        Metadata::WholeSplit result;
        result.first_pass = int32_t(programs.size());
        result.pass_count = int32_t(split.passes.size());
        for (size_t i = 0; i < split.passes.size(); ++i)
            add(fmt::format("{}.pass_{}", name, i + 1), split.passes[i], once);
        if (!split.finish.outputs.empty()) result.finish = add(name + ".finish", split.finish, true);
        return result;
    }
};

} // namespace

ProgramGraphs collect_programs(const TrainingJob& job, const CompileOptions& options, const Sources& sources) {
    ProgramGraphs result;
    Metadata& metadata = result.metadata;
    Collector collect{result.programs};
    metadata.name = job.name;
    metadata.compiler = fmt::format("gradc {}", GRADC_VERSION);
    metadata.options = fmt::format("--isa {} --dtype {}", options.isa, name(options.precision));
    for (const auto& [constant, value] : options.set) metadata.options += fmt::format(" --set {}={}", constant, value);
    if (!options.fuse) metadata.options += " --no-fuse";
    if (!options.share) metadata.options += " --no-share";
    if (options.keep_denormals) metadata.options += " --denormals keep";
    if (options.memory > 0) metadata.options += fmt::format(" --memory {}", double(options.memory) / (1 << 20));
    metadata.source_hash = source_hash(sources);
    metadata.flush_denormals = options.precision == Dtype::f32 && !options.keep_denormals;
    metadata.datasets = job.datasets;
    metadata.initial = collect.add("initial", job.initial, true);
    if (!job.derived.outputs.empty()) metadata.derived = collect.add("initial.derived", job.derived, true);
    metadata.statistics = collect.add("statistics", job.statistics, true);
    if (!job.columns.empty() && !job.columns[0].outputs.empty())
        metadata.columns = collect.add("columns", job.columns[0], true);
    for (const TrainBlock& block : job.blocks) {
        Metadata::Block entry;
        static_cast<TrainSettings&>(entry) = block;
        entry.flag_scalars.resize(block.flags.size(), -1);
        entry.step = collect.add(block.name + ".step", block.step);
        entry.training = collect.add(block.name + ".training", {{}, block.training.finish});
        entry.evaluation = collect.add(block.name + ".evaluate", block.evaluation);
        if (block.predict) entry.predict = collect.add(block.name + ".predict", *block.predict);
        if (block.generate) entry.generate = collect.add(block.name + ".generate", *block.generate);
        Graph trace = diagnose(block.forward, block.loss, sources);
        if (!trace.outputs.empty()) entry.diagnose = collect.add(block.name + ".diagnose", trace, true);
        metadata.blocks.push_back(std::move(entry));
    }
    return result;
}

} // namespace gradc
