// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `bench`: real training steps. Steps of tiny models run as in training, many in a call that also takes their rows.
// Other steps run on rows that are already in the arena, and loading is timed separately.
#include "runtime/base/console.h"
#include "runtime/base/isa.h"
#include "runtime/base/peak.h"
#include "runtime/base/text.h"
#include "runtime/commands/trainer.h"
#include "runtime/commands/turns.h"
#include "runtime/train/evaluation.h"
#include "runtime/train/multi_step.h"
#include <algorithm>
#include <cstring>

namespace gradc::runtime {

namespace {

double median_of(std::vector<double> times) {
    std::nth_element(times.begin(), times.begin() + int64_t(times.size() / 2), times.end());
    return times[times.size() / 2];
}

/// The time of filling the arena once, without a step.
double time_loading(Session& session, Loader& loader, int64_t batch) {
    std::vector<double> times;
    for (int turn = 0; turn < 32; turn++) {
        if (loader.at_end()) loader.begin(turn);
        double begin = now();
        loader.next(batch, session.arena());
        times.push_back(now() - begin);
    }
    loader.begin(0);
    return median_of(times);
}

int64_t steps_to_measure(int64_t wanted, double seconds, double once) {
    return wanted > 0 ? wanted : std::clamp<int64_t>(int64_t(seconds / once), 20, 20'000'000);
}

/// The widest float dtype of the variables determines the peak rate to compare with.
bool computes_in_double(const gradc_module& module) {
    for (int32_t t = 0; t < module.tensor_count; t++) {
        if (module.tensors[t].role == GRADC_PARAMETER && module.tensors[t].dtype == GRADC_F64) return true;
    }
    return false;
}

TimesBesidePeak beside_peak(Session& session) {
    return {session.isa(), computes_in_double(session.module()), session.pool()};
}

void summarize(StepTimes& times, TimesBesidePeak& measured) {
    measured.finish();
    times.fastest = measured.fastest();
    times.median = measured.median();
    times.peak = measured.peak();
}

/// As in training: epoch after epoch, each in its own order, a fraction of a millisecond in one call.
StepTimes measure_multi_step(Session& session, MultiStepRunner& multi_step, int32_t program, Loader* loader,
                             int64_t batch, int64_t wanted, double seconds) {
    StepTimes times;
    MultiStepPlace place{{1, 1e6, 1}, 0, 1, loader ? loader->rows() / batch : 1000};
    bool ragged = loader && loader->rows() % batch != 0;
    if (loader) loader->begin(0);
    place.until_epoch = place.epoch_steps;
    auto run = [&](int64_t count) {
        if (ragged && place.until_epoch == 0) loader->begin(++place.epoch), place.until_epoch = place.epoch_steps;
        if (ragged) count = std::min(count, place.until_epoch);
        double begin = now();
        multi_step.run(program, batch, count, place);
        double time = (now() - begin) / double(count);
        int64_t at = place.epoch_steps - place.until_epoch + count, crossed = (at - 1) / place.epoch_steps;
        place.epoch += crossed;
        place.until_epoch = (crossed + 1) * place.epoch_steps - at;
        place.clock.step += double(count);
        times.steps += count;
        return time;
    };
    double once = 1;
    for (int warm = 0; warm < 10; warm++) once = std::max(1e-9, std::min(once, run(100)));
    int64_t count = steps_to_measure(wanted, seconds, once);
    times.together = std::clamp<int64_t>(int64_t(200e-6 / once), 1, count);
    times.steps = 0;
    TimesBesidePeak measured = beside_peak(session);
    while (times.steps < count) measured.add(run(times.together));
    summarize(times, measured);
    return times;
}

/// Steps that are too short for the clock are timed `together` at a time. Runs `wanted` steps, or about `seconds`.
StepTimes measure(Session& session, const gradc_block& block, Loader* loader, int64_t batch, int64_t wanted,
                  double seconds) {
    StepTimes times;
    if (loader) times.loading = time_loading(session, *loader, batch);
    double step = 1;
    auto run = [&] { session.run(block.step, batch, {step++, 1e6, 1}); };
    for (int warm = 0; warm < 3; warm++) fill_batch(session, loader, batch), run();
    double begin = now();
    run();
    double once = std::max(1e-8, now() - begin);
    int64_t together = std::clamp<int64_t>(int64_t(20e-6 / once), 1, 1000);
    int64_t count = steps_to_measure(wanted, seconds, once);
    int64_t groups = std::max<int64_t>(1, count / together);
    TimesBesidePeak measured = beside_peak(session);
    for (int64_t group = 0; group < groups; group++) {
        fill_batch(session, loader, batch);
        begin = now();
        for (int64_t i = 0; i < together; i++) run();
        measured.add((now() - begin) / double(together));
    }
    summarize(times, measured);
    times.steps = groups * together;
    return times;
}

/// A table of the step's kernels, each with its fastest time, for `--kernels`.
std::string kernel_table(Session& session, const gradc_block& block, Loader* loader, int64_t batch, int64_t steps,
                         double peak) {
    const gradc_program& program = session.module().programs[block.step];
    size_t count = size_t(program.kernel_count);
    std::vector<double> fastest(count, 1e30), seconds(count);
    session.time_kernels(seconds.data());
    for (int64_t turn = 0; turn < steps; turn++) {
        fill_batch(session, loader, batch);
        std::fill(seconds.begin(), seconds.end(), 0);
        session.run(block.step, batch, {double(turn + 1), 1e6, 1});
        for (size_t i = 0; i < count; i++) fastest[i] = std::min(fastest[i], seconds[i]);
    }
    session.time_kernels(nullptr);
    double all = 0;
    for (double time : fastest) all += time;
    int widest = 24;
    for (size_t i = 0; i < count; i++) widest = std::max(widest, int(std::strlen(program.kernels[i].name)) + 1);
    std::string lines = text(padded("kernel", widest), "        time  of step  of peak  GFLOP/s    GB/s\n");
    double share = double(batch) / double(session.module().batch);
    for (size_t i = 0; i < count; i++) {
        const gradc_kernel& kernel = program.kernels[i];
        double rate = kernel.code->flops * share / fastest[i];
        lines += text(padded(kernel.name, widest), padded_left(duration(fastest[i]), 12),
                      padded_left(fixed(100 * fastest[i] / all, 1), 7), " %",
                      padded_left(fixed(100 * rate / peak, 1), 7), " %", padded_left(fixed(rate * 1e-9, 1), 9),
                      padded_left(fixed(kernel.code->bytes * share / fastest[i] * 1e-9, 1), 8), "\n");
    }
    return lines;
}

/// The results of `bench`.
struct Found {
    const Session& session;
    int64_t batch;
    bool is_double, has_data;
    double flops; // of a step
    StepTimes times;
    double share() const { return flops / times.fastest / times.peak; }
};

std::string summary(const Found& found) {
    const Session& session = found.session;
    const StepTimes& times = found.times;
    std::string lines =
        text(session.module().name, ": ", grouped(times.steps), " steps of ", found.batch, " rows, ",
             isa_name(session.isa()), ", ", session.threads(), session.threads() == 1 ? " thread" : " threads", "\n",
             "fastest step   ", duration(times.fastest), "\n", "median step    ", duration(times.median), ", ",
             grouped(int64_t(double(found.batch) / times.median)), " rows/s\n");
    if (times.together > 0)
        lines += text("as in training ", grouped(times.together), " steps in a call, with their loading\n");
    else if (found.has_data)
        lines += text("loading        ", duration(times.loading), " a batch, not included above\n");
    return lines + text("share of peak  ", fixed(100 * found.share(), 1), " % of ", fixed(times.peak * 1e-9, 1),
                        " GFLOP/s ", found.is_double ? "f64" : "f32", " (", general(found.flops * 1e-6, 4),
                        " MFLOP a step)\n");
}

bool write_json(const Found& found, const std::string& path, Error& error) {
    const StepTimes& times = found.times;
    JsonWriter json;
    json.begin_object().key("model").string(found.session.module().name);
    json.key("isa").string(isa_name(found.session.isa()));
    json.key("bits").string(found.session.module().bits[found.session.isa()]);
    json.key("threads").integer(found.session.threads());
    json.key("batch").integer(found.batch).key("steps").integer(times.steps);
    json.key("fastest_us").number(times.fastest * 1e6).key("step_us").number(times.median * 1e6);
    json.key("rows_per_second").number(double(found.batch) / times.median);
    json.key("loading_us").number(times.loading * 1e6);
    json.key("steps_a_call").integer(std::max<int64_t>(1, times.together));
    json.key("flops_per_step").number(found.flops).key("peak_flops").number(times.peak);
    json.key("share_of_peak").number(found.share());
    json.key("peak_bytes").integer(peak_memory()).end_object();
    return write_file(path, json.text() + "\n", error);
}

} // namespace

ExitCode bench_command(const gradc_module& module, const Arguments& arguments, Error& error) {
    if (module.block_count == 0) return error.fail(module.name, " has no train block"), error.code;
    int64_t wanted = 0;
    Prepared prepared;
    if (!arguments.integer("steps", 1, int64_t(1) << 40, wanted, error)) return error.code;
    if (!prepare(module, arguments, {}, prepared, error)) return error.code;
    Session& session = *prepared.session;
    const gradc_block& block = module.blocks[0];
    int64_t batch = prepared.settings.batch;
    std::optional<Loader> loader;
    if (prepared.has_data) {
        const Dataset& dataset = prepared.dataset;
        loader.emplace(module, dataset, dataset.training_split(), row_order(block), session.seed());
        batch = std::min(block.batch_all ? module.batch : batch, loader->rows());
    }
    Loader* rows = loader ? &*loader : nullptr;
    MultiStepRunner multi_step(session, rows);
    auto measured = [&](int64_t steps, double seconds) {
        return multi_step.possible(block.step, batch)
                   ? measure_multi_step(session, multi_step, block.step, rows, batch, steps, seconds)
                   : measure(session, block, rows, batch, steps, seconds);
    };
    bool is_double = computes_in_double(module);
    double flops = module.programs[block.step].flops * double(batch) / double(module.batch);
    if (arguments.has("turns")) {
        auto round = [&](double seconds) { return measured(0, seconds); };
        take_turns({session, block, rows, batch, flops, round}, error);
        return error.code;
    }
    StepTimes times = measured(wanted, 2);
    Found found{session, batch, is_double, loader.has_value(), flops, times};
    std::string lines = summary(found);
    if (arguments.has("kernels"))
        lines += kernel_table(session, block, rows, batch, std::min<int64_t>(times.steps, 1000), times.peak);
    const std::string& json = prepared.settings.json;
    if (json.empty() || write_json(found, json, error)) print(lines, error);
    return error.code;
}

} // namespace gradc::runtime
