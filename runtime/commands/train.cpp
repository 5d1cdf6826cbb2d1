// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `train`: locks the checkpoint, reads the data, starts or resumes the run, and sums it up.
#include "runtime/base/element.h"
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

bool take_checkpoint(TrainRun& run, const Arguments& arguments, Fault& fault) {
    Settings& settings = run.settings;
    if (settings.checkpoint.empty()) return true;
    if (is_folder(settings.checkpoint)) return fault.fail(settings.checkpoint, ": error: it is a folder, not a file");
    if (!run.lock.acquire(settings.checkpoint, fault)) return false;
    if (!settings.resume && !settings.overwrite && exists(settings.checkpoint))
        return fault.fail_as(wrong_usage, settings.checkpoint,
                             ": error: this checkpoint exists; --resume goes on from it, "
                             "--overwrite starts a new run in its place");
    if (!settings.resume) return true;
    if (!exists(settings.checkpoint)) {
        if (!settings.quiet)
            complain(text("note: ", settings.checkpoint, " does not exist yet; training starts from the beginning"));
        return true;
    }
    if (!open_checkpoint(settings.checkpoint, run.file, fault)) return false;
    run.resumes = true;
    std::string path = settings.checkpoint;
    settings = written_settings(run.module);
    settings.checkpoint = path;
    if (!take_settings(run.module, run.file, settings, fault)) return false;
    Settings kept = settings;
    if (!apply_arguments(run.module, arguments, settings, fault)) return false;
    auto keeps = [&](std::string_view name, int64_t typed, int64_t seed) {
        return typed == seed || fault.fail_as(wrong_usage, "--", name, ' ', typed, ": the run in ", path, " has ",
                                              name == "seed" ? "" : "split ", "seed ", seed, " and keeps it");
    };
    return keeps("seed", settings.seed, kept.seed) && keeps("split-seed", settings.cutting_seed(), kept.cutting_seed());
}

/// That the measurements can be written is asked before, not after, they are made.
bool try_outputs(const Settings& settings, Fault& fault) {
    for (const std::string& path : {settings.json, settings.curves}) {
        ReplacingFile file(path);
        if (!path.empty() && !file.open(fault)) return false;
    }
    return true;
}

bool load_data(TrainRun& run, Fault& fault) {
    const gradc_dataset* table = training_data(run.module);
    if (!table) return true;
    if (!load_dataset(*table, data_places(run.settings), run.settings.cutting_seed(), run.dataset, fault)) return false;
    run.data = &run.dataset;
    make_room_for_formulas(run.module, run.dataset);
    if (!run.settings.checkpoint.empty()) run.data_hash = run.dataset.hash();
    int64_t rows = int64_t(run.dataset.splits[size_t(run.dataset.training_split())].rows.size());
    bool all = run.module.blocks[0].batch_all != 0;
    if (all && rows > run.module.batch) {
        return fault.fail("batch all: the data has ", rows, " rows to train on, but this trainer was built for ",
                          run.module.batch, "; build it again");
    }
    if (!all && rows < run.settings.batch)
        return fault.fail("data set ", table->name, ": error: there are ", rows, rows == 1 ? " row" : " rows",
                          " to train on, fewer than the batch of ", run.settings.batch, "; --batch-size ", rows,
                          " takes all of them in a step");
    return true;
}

std::string opening_line(const TrainRun& run) {
    const gradc_module& module = run.module;
    int64_t parameters = 0;
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (tensor.role == GRADC_PARAMETER) parameters += tensor_bytes(tensor) / element_size(tensor.element);
    }
    std::string line = text(module.name, ": ", grouped(parameters), " parameters, ",
                            byte_size(double(module.arena_bytes)), " of memory, ", isa_name(run.session->isa()), ", ",
                            run.session->threads(), run.session->threads() == 1 ? " thread" : " threads");
    if (!run.data) return line;
    for (const Split& split : run.data->splits)
        line += text(", ", grouped(int64_t(split.rows.size())), " rows to ", split.name);
    return line;
}

bool begin_run(TrainRun& run, Training& training, Console& console, Fault& fault) {
    console.line(opening_line(run));
    if (!run.resumes) return draw_start(*run.session, run.data), true;
    if (!restore_run(run.file, run.settings, {run.data_hash, training.rows()}, *run.session, training.position,
                     training.measured.epochs, fault))
        return false;
    if (run.data) compute_formulas(*run.session, *run.data);
    std::string kept = metadata_value(run.file.metadata(), "isa"), own = isa_name(run.session->isa());
    if (kept != own)
        complain(text("note: the run began on ", kept, "; on ", own, " its numbers may differ in the last bits"));
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
    json.begin_object().key("model").string(run.module.name).key("seed").whole(run.settings.seed);
    json.key("split_seed").whole(run.settings.cutting_seed());
    json.key("threads").whole(run.session->threads()).key("isa").string(isa_name(run.session->isa()));
    json.key("steps").whole(training.position.step).key("seconds").number(measured.seconds);
    json.key("step_us").number(measured.steps > 0 ? 1e6 * seconds / double(measured.steps) : 0);
    json.key("rows_per_second").number(double(measured.rows) / seconds).key("peak_bytes").whole(peak_memory());
    json.key("arena_bytes").whole(run.module.arena_bytes).key("flops_per_step").number(flops);
    json.key("weights_hash").string(hexadecimal(weights_hash(run.module, run.session->arena())));
    write_epochs(json.key("epochs"), measured.epochs);
    return json.end_object().text() + "\n";
}

void write_outputs(const TrainRun& run, const Training& training, Fault& fault) {
    const Settings& settings = run.settings;
    if (!settings.json.empty()) write_file(settings.json, json_of(run, training), fault);
    if (settings.curves.empty()) return;
    write_file(settings.curves, draw_curves(picture_title(run.module), training.measured.epochs), fault);
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

ExitCode finish(const TrainRun& run, Training& training, Console& console, Ending ending, Fault& fault) {
    console.clear_live();
    Fault output_fault;
    write_outputs(run, training, output_fault);
    if (output_fault && ending != Ending::finished) complain(output_fault.message);
    if (ending == Ending::not_finite || ending == Ending::failed) return fault.code;
    if (ending == Ending::interrupted) {
        if (!console.broken() && !run.settings.quiet) {
            complain(text("interrupted after step ", grouped(training.position.step),
                          run.settings.checkpoint.empty() ? "; weights not kept: there is no --checkpoint"
                                                          : text("; --resume goes on from ", run.settings.checkpoint)));
        }
        return interrupted;
    }
    sum_up(run, training, console);
    if (output_fault) fault = output_fault;
    bool lost = !console.loss().empty();
    if (lost && !training.warned_of_loss()) fault.fail("standard output: error: ", console.loss());
    if (lost && !fault) return input_at_fault; // the warning said why
    return fault.code;
}

} // namespace

ExitCode train_command(const gradc_module& module, const Arguments& arguments, Fault& fault) {
    if (module.block_count == 0) return fault.fail(module.name, " has no train block"), fault.code;
    TrainRun run{module, written_settings(module), {}, nullptr, 0, {}, {}, false, {}};
    if (!apply_arguments(module, arguments, run.settings, fault)) return fault.code;
    int isa = choose_isa(module, run.settings.isa, fault);
    if (isa < 0 || !take_checkpoint(run, arguments, fault) || !load_data(run, fault) ||
        !try_outputs(run.settings, fault))
        return fault.code;
    HeldSignals signals;
    run.session.emplace(module);
    if (!run.session->start(isa, int(run.settings.threads), run.settings.seed, fault)) return fault.code;
    set_flags(*run.session, run.settings);
    Console console(run.settings.quiet);
    Training training(*run.session, run.settings, run.data, console);
    if (!begin_run(run, training, console, fault)) return fault.code;
    Ending ending = training.run(run.data_hash, signals, fault);
    return finish(run, training, console, ending, fault);
}

} // namespace gradc::runtime
