// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The trainer's flags with their help, and their values.
#include "runtime/train/settings.h"
#include "runtime/base/processors.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

static constexpr int64_t any = int64_t(1) << 53;

std::vector<Option> common_options() {
    return {
        {"data-dir", "DIR",
         "folder to search for data files first; then GRADC_DATA, the current folder and the trainer's"},
        {"confine", "DIR", "let the model read only files in DIR (default: the trainer's folder) and --data-dir", true},
        {"seed", "S", "seed of initial weights, splits, order and random numbers (default 1)"},
        {"split-seed", "S", "seed of the splits alone, to vary --seed on the same splits (default: the seed)"},
        {"threads", "T", "number of threads; 0: all that this process may use (default 1)"},
        {"isa", "NAME", "instruction set to use: baseline, avx2 or avx512 (default: the best that this CPU has)"}};
}

std::vector<BlockFlag> block_flags(const gradc_module& module) {
    std::vector<BlockFlag> flags;
    std::vector<std::string> taken{
        "data-dir",   "epochs",         "steps",      "batch-size", "seed",  "threads", "checkpoint", "save-every",
        "resume",     "allow-mismatch", "json",       "curves",     "quiet", "nan",     "isa",        "help",
        "multi-step", "overwrite",      "split-seed", "confine",    "init",  "only"};
    auto names_of = [](const gradc_flag& flag) {
        std::string full = flag.full, end = full.substr(full.find('.') + 1);
        return end == flag.name ? std::vector<std::string>{end} : std::vector<std::string>{flag.name, end};
    };
    for (int32_t b = 0; b < module.block_count; b++) {
        for (int32_t f = 0; f < module.blocks[b].flag_count; f++) {
            for (std::string& name : names_of(module.blocks[b].flags[f])) taken.push_back(std::move(name));
        }
    }
    for (int32_t b = 0; b < module.block_count; b++) {
        for (int32_t f = 0; f < module.blocks[b].flag_count; f++) {
            const gradc_flag& flag = module.blocks[b].flags[f];
            BlockFlag& known = flags.emplace_back(BlockFlag{b, f, names_of(flag)});
            std::erase_if(known.names,
                          [&](const std::string& name) { return std::count(taken.begin(), taken.end(), name) > 1; });
            known.names.push_back(flag.full);
        }
    }
    return flags;
}

void add_block_options(const gradc_module& module, std::vector<Option>& options) {
    for (const BlockFlag& known : block_flags(module)) {
        const gradc_flag& flag = module.blocks[known.block].flags[known.flag];
        std::string help = flag.help ? flag.help : "";
        if (help.find("default") == std::string::npos) {
            help += text(help.empty() ? "" : " ", "(default ", general(flag.value), ")");
        }
        for (const std::string& name : known.names) {
            bool shown = name != flag.full || known.names.size() == 1;
            options.push_back({name, flag.integer ? "COUNT" : "NUMBER", help, false, shown});
        }
    }
}

std::vector<Option> train_options(const gradc_module& module) {
    const gradc_block& block = module.blocks[0];
    std::vector<Option> options{
        {"epochs", "E", text("passes over the training rows (default ", block.epochs, ")")},
        {"steps", "S", "stop after S steps, regardless of the epochs"},
        {"batch-size", "B", text("rows of a step, 1 to ", module.batch, " (default ", block.batch, ")")}};
    for (Option& common : common_options()) options.push_back(common);
    options.push_back({"checkpoint", "FILE", "save weights and the state of the run in this safetensors file"});
    options.push_back({"init", "FILE", "start from the weights of this safetensors file, by name"});
    options.push_back({"only", "PATTERN,..", "with --init: take only these weights, e.g. 'encoder.*'"});
    options.push_back({"save-every", "N", "write the checkpoint every N steps (default: after each epoch)"});
    options.push_back({"resume", "", "continue from the checkpoint"});
    options.push_back(
        {"allow-mismatch", "", "with --resume: accept other bits (see info) or other data if names and shapes agree"});
    options.push_back({"overwrite", "", "start a new run even if the checkpoint exists"});
    options.push_back({"json", "FILE", "write the measurements as one JSON object"});
    options.push_back({"curves", "FILE", "draw loss and metrics by epoch as SVG"});
    options.push_back({"quiet", "", "print errors only"});
    options.push_back({"nan", "stop|continue", "what to do when the loss is not finite (default stop)"});
    options.push_back({"multi-step", "N", "steps of a tiny model in one call, at most", false, false});
    add_block_options(module, options);
    return options;
}

Settings written_settings(const gradc_module& module) {
    Settings settings;
    const gradc_block& block = module.blocks[0];
    settings.epochs = block.epochs;
    settings.steps = block.steps;
    settings.batch = block.batch;
    for (int32_t b = 0; b < module.block_count; b++) {
        std::vector<double>& values = settings.flags.emplace_back();
        for (int32_t f = 0; f < module.blocks[b].flag_count; f++) values.push_back(module.blocks[b].flags[f].value);
    }
    return settings;
}

/// A value that is not finite is valid only if the model has such a default.
static bool can_be(const gradc_flag& flag, double value) {
    if (!std::isfinite(value)) return !std::isnan(value) && !std::isfinite(flag.value);
    return !flag.integer || (std::fabs(value) <= double(any) && value == std::trunc(value));
}

bool take_settings(const gradc_module& module, const SafetensorsFile& file, Settings& settings, Error& error) {
    const Metadata& metadata = file.metadata();
    bool own = metadata_value(metadata, "format").starts_with("gradc ");
    auto take = [&](const std::string& key, auto& setting, auto parse) {
        std::string value = metadata_value(metadata, key);
        if (value.empty() || parse(value, setting) || !own) return true;
        return error.fail(settings.checkpoint, ": error: damaged: its ", key, " is `", value, "`");
    };
    auto integer_from = [](int64_t low) {
        return [low](const std::string& value, int64_t& setting) {
            int64_t kept;
            bool fits = parse_integer(value, kept) && kept >= low && kept <= any;
            return fits && (setting = kept, true);
        };
    };
    bool good = take("seed", settings.seed, integer_from(0)) &&
                take("split_seed", settings.split_seed, integer_from(0)) &&
                take("batch", settings.batch, integer_from(1)) && take("epochs", settings.epochs, integer_from(0)) &&
                take("steps", settings.steps, integer_from(0));
    settings.batch = std::min<int64_t>(settings.batch, module.batch);
    for (int32_t b = 0; b < module.block_count; b++) {
        for (int32_t f = 0; f < module.blocks[b].flag_count; f++) {
            const gradc_flag& flag = module.blocks[b].flags[f];
            auto number = [&](const std::string& value, double& setting) {
                double kept;
                return parse_number(value, kept) && can_be(flag, kept) && (setting = kept, true);
            };
            good = good && take(text("flag.", flag.full), settings.flags[size_t(b)][size_t(f)], number);
        }
    }
    return good;
}

void put_settings(const gradc_module& module, const Settings& settings, Metadata& metadata) {
    add_metadata(metadata, "seed", integer(settings.seed));
    add_metadata(metadata, "split_seed", integer(settings.cutting_seed()));
    add_metadata(metadata, "batch", integer(settings.batch));
    add_metadata(metadata, "epochs", integer(settings.epochs));
    add_metadata(metadata, "steps", integer(settings.steps));
    for (int32_t b = 0; b < module.block_count; b++) {
        for (int32_t f = 0; f < module.blocks[b].flag_count; f++) {
            add_metadata(metadata, text("flag.", module.blocks[b].flags[f].full),
                         exact(settings.flags[size_t(b)][size_t(f)]));
        }
    }
}

static bool apply_block_flags(const gradc_module& module, const Arguments& arguments, Settings& settings,
                              Error& error) {
    for (const BlockFlag& known : block_flags(module)) {
        const gradc_flag& flag = module.blocks[known.block].flags[known.flag];
        double& value = settings.flags[size_t(known.block)][size_t(known.flag)];
        for (const std::string& name : known.names) {
            if (!arguments.number(name, value, error)) return false;
            if (can_be(flag, value)) continue;
            return error.fail_as(wrong_usage, "--", name, ": `", arguments.value(name), "` is not a ",
                                 flag.integer ? "integer" : "finite number");
        }
    }
    return true;
}

Places data_places(const Settings& settings) {
    if (settings.confine.empty()) return Places::standard(settings.data_folder);
    return Places::confined_to({settings.data_folder, settings.confine});
}

bool apply_arguments(const gradc_module& module, const Arguments& arguments, Settings& settings, Error& error) {
    auto word = [&](std::string_view name, std::string& to) {
        if (arguments.has(name)) to = arguments.value(name);
    };
    word("data-dir", settings.data_folder);
    word("confine", settings.confine);
    if (arguments.has("confine") && settings.confine.empty()) settings.confine = own_folder();
    if (arguments.has("confine") && settings.confine.empty())
        return error.fail_as(wrong_usage, "--confine: this trainer's folder is not known; name one: --confine=DIR");
    word("checkpoint", settings.checkpoint);
    word("init", settings.init);
    word("only", settings.only);
    word("json", settings.json);
    word("curves", settings.curves);
    word("isa", settings.isa);
    if (arguments.has("epochs")) settings.steps = 0; // a flag overrides the model file
    bool fine = arguments.integer("epochs", 0, any, settings.epochs, error) &&
                arguments.integer("steps", 1, any, settings.steps, error) &&
                arguments.integer("batch-size", 1, module.batch, settings.batch, error) &&
                arguments.integer("seed", 0, any, settings.seed, error) &&
                arguments.integer("split-seed", 0, any, settings.split_seed, error) &&
                arguments.integer("threads", 0, 1024, settings.threads, error) &&
                arguments.integer("save-every", 1, any, settings.save_every, error) &&
                arguments.integer("multi-step", 0, any, settings.multi_step, error);
    if (!fine || !apply_block_flags(module, arguments, settings, error)) return false;
    if (settings.threads == 0) settings.threads = available_threads();
    settings.quiet = arguments.has("quiet");
    settings.resume = arguments.has("resume");
    settings.overwrite = arguments.has("overwrite");
    settings.allow_mismatch = arguments.has("allow-mismatch");
    if (settings.allow_mismatch && !settings.resume)
        return error.fail_as(wrong_usage, "--allow-mismatch needs --resume");
    std::string nan = arguments.value("nan");
    if (!nan.empty() && nan != "stop" && nan != "continue") {
        return error.fail_as(wrong_usage, "--nan ", nan, ": expected stop or continue");
    }
    settings.nan_continue = nan == "continue";
    if (settings.resume && settings.overwrite)
        return error.fail_as(wrong_usage, "--resume continues from the checkpoint, --overwrite "
                                          "starts a new run; give one of them");
    if (!settings.only.empty() && settings.init.empty()) return error.fail_as(wrong_usage, "--only needs --init FILE");
    for (const char* flag : {"resume", "overwrite", "save-every"}) {
        if (arguments.has(flag) && settings.checkpoint.empty())
            return error.fail_as(wrong_usage, "--", flag, " needs --checkpoint FILE");
    }
    return true;
}

} // namespace gradc::runtime
