// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of commands, their help, and their common start.
#include "runtime/commands/trainer.h"
#include "runtime/base/isa.h"
#include "runtime/base/text.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/evaluation.h"
#include "runtime/train/formulas.h"
#include <csignal>
#include <sys/resource.h>
#include <unistd.h>

namespace gradc::runtime {

namespace {

struct Command {
    const char* name;
    const char* summary;
    const char* example; // the words after the trainer's name
    std::vector<Option> (*options)(const gradc_module&);
    ExitCode (*run)(const gradc_module&, const Arguments&, Error&);
    bool takes_file = false;
};

Option checkpoint_option() { return {"checkpoint", "FILE", "take the weights from this file"}; }

std::vector<Option> with_common(std::vector<Option> options) {
    for (Option& common : common_options()) options.push_back(common);
    return options;
}
std::vector<Option> eval_options(const gradc_module&) {
    return with_common({checkpoint_option(), {"json", "FILE", "write the metrics as one JSON object"}});
}
std::vector<Option> predict_options(const gradc_module& module) {
    std::vector<Option> options =
        with_common({checkpoint_option(),
                     {"split", "NAME", "predict these rows of the data set (default: test, else the last split)"},
                     {"rows", "R", "number of rows without data (default: the batch), or of images to draw"},
                     {"output", "FILE", "file to write instead of standard output: .npy, .txt for text, else CSV"},
                     {"class-names", "A,B,..", "names of the predicted numbers or classes"},
                     {"svg", "FILE", "draw the rows as images, or the grid of --grid"},
                     {"grid", "N", "draw the model on a grid: N x N points for two inputs, N points for one"},
                     {"label", "FIELD", "field that colors the training rows in the grid (default: automatic)"}});
    bool generates = std::any_of(module.blocks, module.blocks + module.block_count,
                                 [](const gradc_block& block) { return block.generate >= 0; });
    if (!generates) return options;
    options.insert(options.begin() + 1, {{"prompt", "TEXT", "continue this text"},
                                         {"length", "L", "characters to generate (default 500)"},
                                         {"temperature", "T", "divides the logits; 0: the likeliest (default 1)"},
                                         {"top-k", "K", "draw only among the K likeliest characters (default: all)"}});
    return options;
}
std::vector<Option> landscape_options(const gradc_module&) {
    std::vector<Option> options = with_common({checkpoint_option(),
                                               {"svg", "FILE", "draw the loss as contours"},
                                               {"csv", "FILE", "write the loss at each point: a,b,loss"},
                                               {"grid", "N", "points of each direction, from -1 to 1 (default 41)"}});
    for (Option& option : options)
        if (option.name == "seed") option.help = "seed of the two directions (default 1)";
    return options;
}
std::vector<Option> bench_options(const gradc_module& module) {
    std::vector<Option> options =
        with_common({{"steps", "S", "steps to measure (default: about two seconds)"},
                     {"batch-size", "B", text("rows of a step, 1 to ", module.batch)},
                     {"kernels", "", "print the time of each kernel"},
                     {"turns", "", "measure by commands on standard input, as `gradc bench` sends them"},
                     {"json", "FILE", "write the measurements as one JSON object"}});
    add_block_options(module, options);
    return options;
}
std::vector<Option> info_options(const gradc_module&) {
    return {{"checkpoint", "FILE", "show the dictionaries of this file"}};
}
std::vector<Option> export_options(const gradc_module&) {
    return with_common(
        {checkpoint_option(), {"output", "FILE", "the file to write: .safetensors, or a folder for NPY files"}});
}

constexpr Command commands[] = {
    {"train", "train the model", "train --epochs 5 --checkpoint weights.safetensors", train_options, train_command},
    {"eval", "metrics of a trained model on every split", "eval --checkpoint weights.safetensors", eval_options,
     eval_command},
    {"predict", "predictions for a split or a CSV, NPY or text file",
     "predict --checkpoint weights.safetensors rows.csv", predict_options, predict_command, true},
    {"landscape", "the loss around the weights, along two random directions",
     "landscape --checkpoint weights.safetensors --svg landscape.svg", landscape_options, landscape_command},
    {"bench", "measure training steps", "bench --steps 200", bench_options, bench_command},
    {"info", "describe this trainer", "info", info_options, info_command},
    {"export", "write data and initial weights, for other programs", "export --output start.safetensors --seed 3",
     export_options, export_command},
};

std::string overview(const std::string& program, const gradc_module& module) {
    std::string page = text("Trainer of `", module.name, "`, compiled by ", module.compiler, ".\n\nUsage: ", program,
                            " COMMAND [flags]\n\n");
    for (const Command& command : commands) page += text("  ", padded(command.name, 10), command.summary, '\n');
    return page + text("\nExample: ", program, " train\n", program, " COMMAND --help lists the flags of a command.\n");
}

std::string command_help(const std::string& program, const Command& command, const gradc_module& module) {
    std::string title = text(program, ' ', command.name, ": ", command.summary);
    std::string page = text(wrapped(title, 0, 4), "\n\nUsage: ", program, ' ', command.name, " [flags]",
                            command.takes_file ? " [FILE]" : "", '\n');
    std::vector<Option> options = command.options(module);
    if (!options.empty()) page += "\n" + describe(options);
    return page + text("\n", wrapped(text("Example: ", program, ' ', command.example), 0, 4), '\n');
}

int report(const Error& error) {
    if (!error) return done;
    // Errors about data and checkpoints begin with their file, as in compilers.
    bool has_place = error.message.find(": error: ") != std::string::npos;
    complain(text(has_place || error.code == stopped_by_nan ? "" : "error: ", error.message));
    if (error.code == internal_error) complain("this is a bug in gradc; please report it with the model file");
    return error.code;
}

bool asks_for_help(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
        if (word == "--") return false;
        if (word == "--help" || word == "-h") return true;
    }
    return false;
}

int run_command(const std::string& program, const Command& command, const std::vector<std::string>& words,
                const gradc_module& module) {
    Error error;
    if (asks_for_help(words)) return print(command_help(program, command, module), error), report(error);
    Arguments arguments;
    ExitCode code = done;
    if (arguments.parse(words, command.options(module), error)) {
        if (!arguments.others().empty() && !command.takes_file) {
            error.fail_as(wrong_usage, command.name, " takes no `", arguments.others()[0], "`");
        } else {
            code = command.run(module, arguments, error);
            finish_printing(error);
        }
    }
    return error ? report(error) : code;
}

} // namespace

int run_trainer(int argc, char** argv, const gradc_module& module) {
    occupy_standard_descriptors();
    watch_mapped_files();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a file that grows beyond the limit is a failed write, like a full disk
    std::string program = argc > 0 ? argv[0] : module.name;
    program = visible(std::string_view(program).substr(program.rfind('/') + 1)); // for the help
    std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    if (words.empty()) return write_all(STDERR_FILENO, overview(program, module)), wrong_usage;
    std::vector<std::string> names;
    for (const Command& command : commands) {
        if (words[0] != command.name) {
            names.push_back(command.name);
            continue;
        }
        words.erase(words.begin());
        return run_command(program, command, words, module);
    }
    Error error;
    if (words[0] == "--help" || words[0] == "-h" || words[0] == "help")
        return print(overview(program, module), error), report(error);
    if (words[0] == "--version") {
        print(text(module.name, ", compiled by ", module.compiler, '\n'), error);
        return report(error);
    }
    std::string near(present_name(words[0]));
    if (std::find(names.begin(), names.end(), near) == names.end()) near = nearest(words[0], names);
    error.fail_as(wrong_usage, "unknown command ", words[0],
                  near.empty() ? "; --help lists all" : text("; did you mean ", near, "?"));
    return report(error);
}

// ---- common beginnings -------------------------------------------------------------------------

const gradc_dataset* training_data(const gradc_module& module) {
    int32_t number = module.block_count > 0 ? module.blocks[0].dataset : -1;
    return number >= 0 ? &module.datasets[number] : nullptr;
}

const char* picture_title(const gradc_module& module) {
    const gradc_dataset* table = training_data(module);
    return table ? table->name : module.name;
}

void draw_start(Session& session, Dataset* dataset) {
    session.initialize();
    if (!dataset) return;
    const gradc_module& module = session.module();
    bool has_statistics = module.statistics.pass_count > 0 || module.statistics.finish >= 0;
    if (has_statistics) {
        int split = dataset->training_split();
        Loader loader(module, *dataset, split, GRADC_FILE_ORDER, session.seed());
        run_whole_split(session, module.statistics, loader, {});
    }
}

void set_flags(Session& session, const Settings& settings) {
    const gradc_module& module = session.module();
    for (int32_t b = 0; b < module.block_count; b++) {
        for (int32_t f = 0; f < module.blocks[b].flag_count; f++) {
            session.set_flag(module.blocks[b].flags[f], settings.flags[size_t(b)][size_t(f)]);
        }
    }
}

int64_t peak_memory() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

bool prepare(const gradc_module& module, const Arguments& arguments, Needs needs, Prepared& prepared, Error& error) {
    prepared.settings = written_settings(module);
    Settings& settings = prepared.settings;
    settings.checkpoint = arguments.value("checkpoint");
    if (needs.checkpoint && settings.checkpoint.empty()) {
        return error.set("--checkpoint FILE is needed; `train --checkpoint FILE` writes one", wrong_usage);
    }
    SafetensorsFile file;
    bool restores = !settings.checkpoint.empty();
    if (restores) {
        if (!open_checkpoint(settings.checkpoint, file, error)) return false;
        if (!take_settings(module, file, settings, error)) return false; // its seed cut the splits
    }
    int64_t seed = settings.seed;
    if (!apply_arguments(module, arguments, settings, error)) return false;
    if (needs.keeps_seed) settings.seed = seed;
    int isa = choose_isa(module, settings.isa, error);
    if (isa < 0) return false;
    const gradc_dataset* table = training_data(module);
    Dictionaries& dictionaries = prepared.dataset.dictionaries;
    if (table && restores && !take_dictionaries(*table, file.metadata(), settings.checkpoint, dictionaries, error))
        return false;
    if (table) add_alphabets(*table, dictionaries);
    if (table && needs.data) {
        if (!load_dataset(*table, data_places(settings), settings.cutting_seed(), prepared.dataset, error))
            return false;
        make_room_for_formulas(module, prepared.dataset);
        prepared.has_data = true;
    }
    prepared.session.emplace(module);
    if (!prepared.session->start(isa, int(settings.threads), settings.seed, error)) return false;
    set_flags(*prepared.session, settings);
    Dataset* dataset = prepared.has_data ? &prepared.dataset : nullptr;
    if (!restores) draw_start(*prepared.session, dataset);
    else if (!restore_weights(file, settings.checkpoint, *prepared.session, error)) return false;
    if (dataset) compute_formulas(*prepared.session, *dataset);
    return true;
}

} // namespace gradc::runtime
