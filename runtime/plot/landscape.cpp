// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each level is painted over the lower ones, from light to dark. Levels are marked where a line from the weights to the
// right edge first meets them, and all of them stand beside the map.
#include "runtime/plot/landscape.h"
#include "runtime/base/text.h"
#include "runtime/plot/contours.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

static constexpr PlotBox landscape_box{64, 76, 460, 460};

/// A column of the colors, with the level at each change.
static void draw_levels(Drawing& drawing, const std::vector<double>& levels, auto color) {
    double height = std::min(22.0, landscape_box.height / double(levels.size() + 1));
    double bottom = landscape_box.top + landscape_box.height;
    for (size_t i = 0; i <= levels.size(); i++) {
        drawing.rectangle({550, bottom - height * double(i + 1), 16, height}, text("fill=\"", color(i), '"'));
        if (i == levels.size()) break;
        drawing.words(572, bottom - height * double(i + 1) + 4, tick_label(levels[i]), Align::left);
    }
    drawing.words(550, bottom - height * double(levels.size() + 1) - 10, "loss", Align::left, "font-weight=\"600\"");
}

std::string draw_landscape(const LandscapeView& view) {
    double low = INFINITY, high = -INFINITY;
    for (double loss : view.losses) {
        if (std::isfinite(loss)) low = std::min(low, loss), high = std::max(high, loss);
    }
    if (!(low < high)) low = std::isfinite(low) ? low : 0, high = low + 1;
    std::vector<double> levels = round_levels(low, high, 14);
    auto color = [&](size_t i) { return color_text(heat_color(double(i) / double(levels.size()))); };
    Drawing drawing(660, 600);
    drawing.words(landscape_box.left, 28, view.title, Align::left, "font-size=\"16\" font-weight=\"600\"");
    drawing.words(landscape_box.left, 48, view.subtitle, Align::left);
    drawing.rectangle(landscape_box, text("fill=\"", color(0), '"'));
    drawing.open_clip(landscape_box, "stroke=\"#123\" stroke-opacity=\".35\" stroke-width=\".7\"");
    HeightMap map{view.losses, view.side, landscape_box};
    for (size_t i = 0; i < levels.size(); i++)
        drawing.path(contour(map, levels[i]), text("fill=\"", color(i + 1), '"'));
    drawing.raw("</g>\n");
    double x = landscape_box.left + landscape_box.width / 2, y = landscape_box.top + landscape_box.height / 2;
    drawing.path(text('M', plot_point(x - 6, y), "h12M", plot_point(x, y - 6), "v12"),
                 "stroke=\"#d55e00\" stroke-width=\"2\"");
    PlotAxis axis = tight_axis(-1, 1);
    drawing.axes(landscape_box, axis, axis, "first direction", "second direction");
    draw_levels(drawing, levels, color);
    return std::move(drawing).finish();
}

} // namespace gradc::runtime
