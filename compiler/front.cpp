// From the path of a model file to graphs: reading, parsing, elaborating; which graphs become which program.
#include "compiler/check/diagnose.h"
#include "compiler/pipeline.h"
#include "compiler/util/files.h"
#include "compiler/util/stopwatch.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

Front load(const CompileOptions& given, SourceReader& reader, std::string& fault) {
    Stopwatch reading;
    Front front;
    std::string reason;
    std::optional<std::string> text = reader.read(given.model, reason);
    if (!text) {
        fault = fmt::format("gradc: cannot read {}: {}\n", given.model, reason);
        return front;
    }
    front.main = front.sources.add({given.model, std::move(*text)});
    Options options = given;
    if (const char* folder = std::getenv("GRADC_DATA"); folder && *folder) options.data_folders.push_back(folder);
    options.data_folders.insert(options.data_folders.end(), {".", folder_of(given.model)});
    front.elaborated = elaborate(front.sources, front.main, reader, options, front.diagnostics);
    front.seconds = reading.seconds();
    return front;
}

std::string source_hash(const Sources& sources) {
    std::string all;
    for (const Source& source : sources.all)
        if (source.name.rfind("std/", 0) != 0) all += std::to_string(source.text.size()) + ":" + source.text;
    return hash_text(all);
}

namespace {

gradc_reader reader_of(Reader::Kind kind) {
    switch (kind) {
    case Reader::Kind::none:
    case Reader::Kind::csv: return GRADC_READ_CSV;
    case Reader::Kind::idx: return GRADC_READ_IDX;
    case Reader::Kind::literal: return GRADC_READ_LITERAL;
    case Reader::Kind::range: return GRADC_READ_RANGE;
    case Reader::Kind::characters: return GRADC_READ_CHARACTERS;
    case Reader::Kind::npy: return GRADC_READ_NPY;
    }
    return GRADC_READ_CSV;
}

Metadata::Field field_of(const Field& field) {
    Metadata::Field result;
    result.name = field.name;
    result.reader = reader_of(field.reader.kind);
    result.stored = field.stored;
    result.shape = field.shape;
    result.low = field.low;
    result.high = field.high;
    for (const Reader::File& file : field.reader.files) result.files.push_back({file.split, file.path});
    result.columns = field.reader.columns;
    result.column_names = field.reader.column_names;
    result.values = field.reader.values;
    result.rows = field.reader.rows;
    result.alphabet = field.reader.alphabet;
    result.window = field.reader.window;
    result.stride = field.reader.stride;
    return result;
}

Metadata::Dataset dataset_of(const DatasetSpec& dataset) {
    Metadata::Dataset result;
    result.name = dataset.name;
    for (const Field& field : dataset.fields) result.fields.push_back(field_of(field));
    for (const SplitRange& split : dataset.splits) result.splits.push_back({split.name, split.fraction});
    result.in_order = dataset.in_order;
    result.split_by_file = dataset.split_by_file;
    return result;
}

gradc_order order_of(RowOrder order) {
    return order == RowOrder::shuffled ? GRADC_SHUFFLED : order == RowOrder::file ? GRADC_FILE_ORDER : GRADC_RANDOM;
}

Metadata::Block block_of(const TrainBlock& block) {
    Metadata::Block result;
    result.name = block.name;
    result.dataset = block.dataset;
    result.batch = block.batch;
    result.batch_all = block.batch_all;
    result.order = order_of(block.order);
    result.epochs = block.epochs;
    result.steps = block.steps;
    result.turns = block.turns;
    for (const Flag& flag : block.flags)
        result.flags.push_back({flag.name, flag.full, flag.help, -1, flag.whole, flag.value});
    for (const Metric& metric : block.metrics) result.metrics.push_back({metric.name, metric.type.shape});
    return result;
}

/// Collects programs under numbers.
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

ProgramGraphs collect_programs(const Elaborated& elaborated, const CompileOptions& options, const Sources& sources) {
    ProgramGraphs result;
    Metadata& metadata = result.metadata;
    Collector collect{result.programs};
    metadata.name = elaborated.name;
    metadata.compiler = fmt::format("gradc {}", GRADC_VERSION);
    metadata.options = fmt::format("--isa {} --precision {}", options.isa, name(options.precision));
    for (const auto& [constant, value] : options.set) metadata.options += fmt::format(" --set {}={}", constant, value);
    if (!options.fuse) metadata.options += " --unfused";
    metadata.source_hash = source_hash(sources);
    metadata.program_hash = hash_text(metadata.source_hash + metadata.compiler + metadata.options);
    metadata.flush_denormals = options.precision == Element::f32;
    for (const DatasetSpec& dataset : elaborated.datasets) metadata.datasets.push_back(dataset_of(dataset));
    metadata.initial = collect.add("initial", elaborated.initial, true);
    metadata.statistics = collect.add("statistics", elaborated.statistics, true);
    if (!elaborated.columns.empty() && !elaborated.columns[0].outputs.empty())
        metadata.columns = collect.add("columns", elaborated.columns[0], true);
    for (const TrainBlock& block : elaborated.blocks) {
        Metadata::Block entry = block_of(block);
        entry.step = collect.add(block.name + ".step", block.step);
        entry.training = collect.add(block.name + ".training", {{}, block.training.finish});
        entry.evaluation = collect.add(block.name + ".evaluate", block.evaluation);
        if (block.predict) entry.predict = collect.add(block.name + ".predict", *block.predict);
        Graph trace = diagnose(block.forward, block.loss, sources);
        if (!trace.outputs.empty()) entry.diagnose = collect.add(block.name + ".diagnose", trace, true);
        metadata.blocks.push_back(std::move(entry));
    }
    return result;
}

} // namespace gradc
