// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `landscape`: the loss over two random directions around the weights of a checkpoint, as a picture and as numbers.
#include "runtime/plot/landscape.h"
#include "runtime/base/console.h"
#include "runtime/base/text.h"
#include "runtime/commands/trainer.h"
#include "runtime/train/directions.h"
#include "runtime/train/evaluation.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

namespace {

/// Point `i` of an axis: from -1 to 1, 0 in the middle of an odd number of points.
double place(int64_t i, int64_t side) { return double(2 * i - (side - 1)) / double(side - 1); }

struct LandscapeRun {
    std::string svg, csv;
    int64_t side = 41, seed = 1;
    std::vector<double> losses; // the first direction changes fastest
};

bool read_arguments(const Arguments& arguments, LandscapeRun& run, Error& error) {
    run.svg = arguments.value("svg"), run.csv = arguments.value("csv");
    if (!arguments.integer("grid", 2, 1000, run.side, error) ||
        !arguments.integer("seed", 0, int64_t(1) << 53, run.seed, error))
        return false;
    if (run.svg.empty() && run.csv.empty())
        return error.fail_as(wrong_usage, "--svg FILE or --csv FILE is needed: what to write");
    for (const std::string& path : {run.svg, run.csv}) { // before the work
        ReplacingFile file(path);
        if (!path.empty() && !file.open(error)) return false;
    }
    return true;
}

/// False if a signal arrived.
bool measure_losses(LandscapeRun& run, LossLandscape& landscape, Console& console, const HeldSignals& signals) {
    int64_t count = run.side * run.side;
    double shown = now();
    for (int64_t i = 0; i < count; i++) {
        run.losses.push_back(landscape.loss(place(i % run.side, run.side), place(i / run.side, run.side)));
        if (signals.arrived()) return false;
        if (now() - shown < 0.1) continue;
        shown = now();
        console.live(text("landscape ", grouped(i + 1), " of ", grouped(count), " points"));
    }
    console.clear_live();
    return true;
}

std::string numbers_of(const LandscapeRun& run) {
    std::string lines = "a,b,loss\n";
    for (size_t i = 0; i < run.losses.size(); i++) {
        auto side = size_t(run.side);
        lines += text(exact(place(int64_t(i % side), run.side)), ',', exact(place(int64_t(i / side), run.side)), ',',
                      exact(run.losses[i]), '\n');
    }
    return lines;
}

} // namespace

ExitCode landscape_command(const gradc_module& module, const Arguments& arguments, Error& error) {
    LandscapeRun run;
    Prepared prepared;
    HeldSignals signals; // before the session's threads
    if (!read_arguments(arguments, run, error) || !prepare(module, arguments, {true, true, true}, prepared, error))
        return error.code;
    if (!prepared.has_data || module.blocks[0].evaluation.finish < 0)
        return error.fail(module.name, " has no data to evaluate a loss on"), error.code;
    LossLandscape landscape(*prepared.session, prepared.dataset, run.seed);
    double middle = landscape.loss(0, 0), began = now();
    Console console(false);
    if (!measure_losses(run, landscape, console, signals)) {
        console.clear_live();
        complain("interrupted; nothing is written");
        return interrupted;
    }
    double seconds = std::max(1e-9, now() - began), count = double(run.losses.size());
    auto [low, high] = std::minmax_element(run.losses.begin(), run.losses.end());
    console.line(text("loss at the weights ", metric_number(middle), ", on the grid ", metric_number(*low), " to ",
                      metric_number(*high), '\n', run.side, " x ", run.side, " points in ", duration(seconds), ": ",
                      grouped(int64_t(count * double(landscape.rows()) / seconds)), " rows/s"));
    std::string subtitle =
        text("loss of the training rows, ", metric_number(middle), " at the weights; seed ", run.seed);
    if (!run.csv.empty()) write_file(run.csv, numbers_of(run), error);
    if (!run.svg.empty() && !error)
        write_file(run.svg, draw_landscape({picture_title(module), subtitle, run.side, run.losses}), error);
    return error.code;
}

} // namespace gradc::runtime
