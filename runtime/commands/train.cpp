// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `train`: locks the checkpoint, reads the data, starts or resumes the run, and prints a summary.
#include "runtime/base/dtype.h"
#include "runtime/base/isa.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
#include "runtime/commands/trainer.h"
#include "runtime/plot/curves.h"
#include "runtime/train/evaluation.h"
#include "runtime/train/formulas.h"
#include "runtime/train/training.h"

namespace gradc::runtime {

namespace {

struct TrainRun {
    const gradc_module& module;
    Settings settings;
    Dataset dataset;
    Dataset* data = nullptr; // null without data
    uint64_t data_hash = 0;
    FileLock lock;
    SafetensorsFile file;
    bool resumes = false;
    std::optional<Session> session;
};

bool take_checkpoint(TrainRun& run, const Arguments& arguments, Error& error) {
    Settings& settings = run.settings;
    if (settings.checkpoint.empty()) return true;
    if (is_folder(settings.checkpoint)) return error.fail(settings.checkpoint, ": error: it is a folder, not a file");
    if (!run.lock.acquire(settings.checkpoint, error)) return false;
    if (!settings.resume && !settings.overwrite && exists(settings.checkpoint))
        return error.fail_as(wrong_usage, settings.checkpoint,
                             ": error: this checkpoint exists; --resume continues it, "
                             "--overwrite starts a new run in its place");
    if (!settings.resume) return true;
    if (!exists(settings.checkpoint)) {
        if (!settings.quiet)
            complain(text("note: ", settings.checkpoint, " does not exist yet; training starts from the beginning"));
        return true;
    }
    if (!settings.init.empty())
        return error.fail_as(wrong_usage, settings.checkpoint,
                             ": error: --resume continues the run in this checkpoint, ",
                             "--init starts a new one; give one of them");
    if (!open_checkpoint(settings.checkpoint, run.file, error)) return false;
    run.resumes = true;
    std::string path = settings.checkpoint;
    settings = written_settings(run.module);
    settings.checkpoint = path;
    if (!take_settings(run.module, run.file, settings, error)) return false;
    Settings kept = settings;
    if (!apply_arguments(run.module, arguments, settings, error)) return false;
    auto keeps = [&](std::string_view name, int64_t typed, int64_t seed) {
        return typed == seed || error.fail_as(wrong_usage, "--", name, ' ', typed, ": the run in ", path, " has ",
                                              name == "seed" ? "" : "split ", "seed ", seed, ", which cannot change");
    };
    return keeps("seed", settings.seed, kept.seed) && keeps("split-seed", settings.cutting_seed(), kept.cutting_seed());
}

/// Checks before the run that the measurements can be written after it.
bool try_outputs(const Settings& settings, Error& error) {
    for (const std::string& path : {settings.json, settings.curves}) {
        ReplacingFile file(path);
        if (!path.empty() && !file.open(error)) return false;
    }
    return true;
}

bool load_data(TrainRun& run, Error& error) {
    const gradc_dataset* table = training_data(run.module);
    if (!table) return true;
    if (run.resumes &&
        !take_dictionaries(*table, run.file.metadata(), run.settings.checkpoint, run.dataset.dictionaries, error))
        return false;
    if (!run.resumes && !run.settings.init.empty()) { // its weights belong to its words
        SafetensorsFile file;
        if (!open_checkpoint(run.settings.init, file, error) ||
            !take_dictionaries(*table, file.metadata(), run.settings.init, run.dataset.dictionaries, error))
            return false;
    }
    if (!load_dataset(*table, data_places(run.settings), run.settings.cutting_seed(), run.dataset, error)) return false;
    run.data = &run.dataset;
    make_room_for_formulas(run.module, run.dataset);
    if (!run.settings.checkpoint.empty()) run.data_hash = run.dataset.hash();
    int64_t rows = int64_t(run.dataset.splits[size_t(run.dataset.training_split())].rows.size());
    bool all = run.module.blocks[0].batch_all != 0;
    if (all && rows > run.module.batch) {
        return error.fail("batch all: the data has ", rows, " rows to train on, but this trainer was built for ",
                          run.module.batch, "; build it again");
    }
    if (!all && rows < run.settings.batch)
        return error.fail("data set ", table->name, ": error: there are ", rows, rows == 1 ? " row" : " rows",
                          " to train on, fewer than the batch of ", run.settings.batch, "; --batch-size ", rows,
                          " takes all of them in a step");
    return true;
}

std::string opening_line(const TrainRun& run) {
    const gradc_module& module = run.module;
    int64_t parameters = 0;
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (tensor.role == GRADC_PARAMETER) parameters += tensor_bytes(tensor) / element_size(tensor.dtype);
    }
    std::string line = text(module.name, ": ", grouped(parameters), " parameters, ",
                            byte_size(double(module.arena_bytes)), " of memory, ", isa_name(run.session->isa()), ", ",
                            run.session->threads(), run.session->threads() == 1 ? " thread" : " threads");
    if (!run.data) return line;
    for (const Split& split : run.data->splits)
        line += text(", ", grouped(int64_t(split.rows.size())), " rows to ", split.name);
    return line;
}

bool take_init(TrainRun& run, Error& error) {
    const Settings& settings = run.settings;
    SafetensorsFile file;
    std::string note;
    if (settings.init.empty()) return true;
    if (!open_checkpoint(settings.init, file, error)) return false;
    if (!take_weights(file, settings.init, settings.only, *run.session, note, error)) return false;
    if (!settings.quiet) complain(note);
    return true;
}

bool begin_run(TrainRun& run, Training& training, Console& console, Error& error) {
    console.line(opening_line(run));
    if (!run.resumes) {
        draw_start(*run.session, run.data);
        if (!take_init(run, error)) return false;
        if (run.data) compute_formulas(*run.session, *run.data);
        return true;
    }
    if (!restore_run(run.file, run.settings, {run.data_hash, training.rows()}, *run.session, training.position,
                     training.measured.epochs, error))
        return false;
    if (run.data) compute_formulas(*run.session, *run.data);
    console.line(text("resumed from ", run.settings.checkpoint, " at step ", grouped(training.position.step), " of ",
                      grouped(training.total_steps())));
    run.file = {};
    return true;
}

std::string json_of(const TrainRun& run, const Training& training) {
    const Measured& measured = training.measured;
    double seconds = measured.seconds > 0 ? measured.seconds : 1e-9;
    double flops = run.module.programs[run.module.blocks[0].step].flops;
    JsonWriter json;
    json.begin_object().key("model").string(run.module.name).key("seed").integer(run.settings.seed);
    json.key("split_seed").integer(run.settings.cutting_seed());
    json.key("threads").integer(run.session->threads()).key("isa").string(isa_name(run.session->isa()));
    json.key("bits").string(run.module.bits[run.session->isa()]);
    json.key("steps").integer(training.position.step).key("seconds").number(measured.seconds);
    json.key("step_us").number(measured.steps > 0 ? 1e6 * seconds / double(measured.steps) : 0);
    json.key("rows_per_second").number(double(measured.rows) / seconds).key("peak_bytes").integer(peak_memory());
    json.key("arena_bytes").integer(run.module.arena_bytes).key("flops_per_step").number(flops);
    json.key("weights_hash").string(hexadecimal(weights_hash(run.module, run.session->arena())));
    write_epochs(json.key("epochs"), measured.epochs);
    return json.end_object().text() + "\n";
}

void write_outputs(const TrainRun& run, const Training& training, Error& error) {
    const Settings& settings = run.settings;
    if (!settings.json.empty()) write_file(settings.json, json_of(run, training), error);
    if (settings.curves.empty()) return;
    write_file(settings.curves, draw_curves(picture_title(run.module), training.measured.epochs), error);
}

void sum_up(const TrainRun& run, Training& training, Console& console) {
    const Measured& measured = training.measured;
    if (measured.steps > 0) {
        console.line(text("trained ", grouped(measured.steps), " steps in ", duration(measured.seconds), ": ",
                          grouped(int64_t(double(measured.rows) / std::max(1e-9, measured.seconds))), " rows/s, ",
                          duration(measured.seconds / double(measured.steps)), " a step; peak memory ",
                          byte_size(double(peak_memory()))));
    }
    bool last_is_known = !measured.epochs.empty() && measured.epochs.back().step == training.position.step;
    std::string lines;
    if (last_is_known) {
        for (const SplitReport& split : measured.epochs.back().splits) lines += metrics_lines(split);
    } else if (!console.quiet()) {
        for (const SplitReport& split : training.evaluate()) lines += metrics_lines(split);
    }
    if (!lines.empty()) console.line(lines.substr(0, lines.size() - 1));
    console.line(text("weights hash ", hexadecimal(weights_hash(run.module, run.session->arena()))));
    console.line(run.settings.checkpoint.empty() ? std::string("weights not kept; --checkpoint FILE writes them")
                                                 : text("weights in ", run.settings.checkpoint));
}

ExitCode finish(const TrainRun& run, Training& training, Console& console, Ending ending, Error& error) {
    console.clear_live();
    Error output_error;
    write_outputs(run, training, output_error);
    if (output_error && ending != Ending::finished) complain(output_error.message);
    if (ending == Ending::not_finite || ending == Ending::failed) return error.code;
    if (ending == Ending::interrupted) {
        if (!console.broken() && !run.settings.quiet) {
            complain(text("interrupted after step ", grouped(training.position.step),
                          run.settings.checkpoint.empty()
                              ? "; weights not kept: there is no --checkpoint"
                              : text("; --resume continues from ", run.settings.checkpoint)));
        }
        return interrupted;
    }
    sum_up(run, training, console);
    if (output_error) error = output_error;
    bool lost = !console.loss().empty();
    if (lost && !training.warned_of_loss()) error.fail("standard output: error: ", console.loss());
    if (lost && !error) return input_error; // the warning gave the reason
    return error.code;
}

} // namespace

ExitCode train_command(const gradc_module& module, const Arguments& arguments, Error& error) {
    if (module.block_count == 0) return error.fail(module.name, " has no train block"), error.code;
    TrainRun run{module, written_settings(module), {}, nullptr, 0, {}, {}, false, {}};
    if (!apply_arguments(module, arguments, run.settings, error)) return error.code;
    int isa = choose_isa(module, run.settings.isa, error);
    if (isa < 0 || !take_checkpoint(run, arguments, error) || !load_data(run, error) ||
        !try_outputs(run.settings, error))
        return error.code;
    HeldSignals signals;
    run.session.emplace(module);
    if (!run.session->start(isa, int(run.settings.threads), run.settings.seed, error)) return error.code;
    set_flags(*run.session, run.settings);
    Console console(run.settings.quiet);
    Training training(*run.session, run.settings, run.data, console);
    if (!begin_run(run, training, console, error)) return error.code;
    Ending ending = training.run(run.data_hash, signals, error);
    return finish(run, training, console, ending, error);
}

} // namespace gradc::runtime
