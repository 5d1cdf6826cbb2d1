// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `landscape`: the loss over two random directions around the weights of a checkpoint, as a picture and as numbers.
#include "runtime/base/console.h"
#include "runtime/base/text.h"
#include "runtime/commands/trainer.h"
#include "runtime/plot/grid.h"
#include "runtime/train/directions.h"
#include "runtime/train/evaluation.h"
#include <algorithm>

namespace gradc::runtime {

namespace {

/// A cell is around each point; the points of an axis go from -1 to 1.
GridView empty_view(int64_t side) {
    GridView view;
    view.side = side;
    view.x_high = view.y_high = double(side) / double(side - 1);
    view.x_low = view.y_low = -view.x_high;
    view.x_name = "first direction", view.y_name = "second direction", view.label_name = "loss";
    view.heights = true;
    view.dots_x.push_back(0), view.dots_y.push_back(0);
    return view;
}

/// 0 in the middle of an odd number of points.
double place(int64_t i, int64_t side) { return double(2 * i - (side - 1)) / double(side - 1); }

/// Fills the view; false if a signal arrived. `csv` gets a line a point.
bool measure_losses(GridView& view, std::string& csv, LossLandscape& landscape, const HeldSignals& signals) {
    Console console(false);
    int64_t side = view.side, count = side * side;
    double shown = now();
    for (int64_t i = 0; i < count; i++) {
        double a = place(i % side, side), b = place(i / side, side), loss = landscape.loss(a, b), time = now();
        view.values.push_back(loss);
        csv += text(exact(a), ',', exact(b), ',', exact(loss), '\n');
        if (signals.arrived()) return false;
        if (time - shown < 0.1) continue;
        shown = time;
        console.live(text("landscape ", grouped(i + 1), " of ", grouped(count), " points"));
    }
    return true;
}

} // namespace

ExitCode landscape_command(const gradc_module& module, const Arguments& arguments, Error& error) {
    int64_t side = 41, seed = 1;
    const std::string svg = arguments.value("svg"), csv = arguments.value("csv");
    if (!arguments.integer("grid", 2, 1000, side, error) ||
        !arguments.integer("seed", 0, int64_t(1) << 53, seed, error))
        return error.code;
    if (svg.empty() && csv.empty())
        return error.fail_as(wrong_usage, "nothing to write; --svg FILE draws, --csv FILE lists the losses"),
               error.code;
    for (const std::string& path : {svg, csv}) { // that they can be written, before the work
        ReplacingFile file(path);
        if (!path.empty() && !file.open(error)) return error.code;
    }
    HeldSignals signals; // before the session's threads
    Prepared prepared;
    if (!prepare(module, arguments, {true, true, true}, prepared, error)) return error.code;
    if (!prepared.has_data) return error.fail(module.name, " has no data to evaluate on"), error.code;
    LossLandscape landscape(*prepared.session, prepared.dataset, seed);
    GridView view = empty_view(side);
    view.title = text(picture_title(module), ": loss ", metric_number(landscape.loss(0, 0)), " at the weights");
    std::string lines = "a,b,loss\n";
    double began = now();
    if (!measure_losses(view, lines, landscape, signals))
        return complain("interrupted; nothing is written"), interrupted;
    double seconds = now() - began;
    if (!csv.empty()) write_file(csv, lines, error);
    if (!svg.empty() && !error) write_file(svg, draw_regions(view), error);
    auto [low, high] = std::minmax_element(view.values.begin(), view.values.end());
    if (!error)
        print(text(view.title, ", ", metric_number(*low), " to ", metric_number(*high), " around them\n",
                   grouped(side * side), " points in ", duration(seconds), '\n'),
              error);
    return error.code;
}

} // namespace gradc::runtime
