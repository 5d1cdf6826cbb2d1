// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines over one input. The dots determine the height of the picture; lines are clipped to it.
#include "runtime/base/text.h"
#include "runtime/plot/drawing.h"
#include "runtime/plot/grid.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

static PlotAxis height_axis(const GridView& view) {
    bool has_dots = view.labels.size() == view.dots_x.size() && !view.labels.empty();
    double low = INFINITY, high = -INFINITY;
    for (double value : has_dots ? view.labels : view.values) {
        if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
    }
    if (low > high) low = 0, high = 1;
    double room = has_dots ? 0.12 * (high - low) : 0;
    return round_axis(low - room, high + room);
}

std::string draw_lines(const GridView& view) {
    constexpr PlotBox box{64, 60, 560, 340};
    Drawing drawing(790, 458);
    PlotAxis x = tight_axis(view.x_low, view.x_high), y = height_axis(view);
    auto left = [&](double value) { return box.left + x.share(value) * box.width; };
    auto top = [&](double value) { return box.top + (1 - y.share(value)) * box.height; };
    drawing.words(box.left, 24, view.title, Align::left, "font-size=\"16\" font-weight=\"600\"");
    drawing.rectangle(box, "fill=\"#fff\"");
    drawing.axes(box, x, y, view.x_name, view.label_name);
    for (size_t i = 0; i < view.labels.size(); i++)
        drawing.dot(left(view.dots_x[i]), top(view.labels[i]), 3, {0x99, 0x99, 0x99});
    drawing.open_clip(box, "fill=\"none\" stroke-width=\"2.2\" stroke-linejoin=\"round\"");
    std::vector<std::string> names = view.names;
    for (int64_t line = 0; line < view.width; line++) {
        std::string path;
        bool joined = false;
        for (int64_t cell = 0; cell < view.side; cell++) {
            double value = view.values[size_t(cell * view.width + line)];
            bool finite = std::isfinite(value);
            // A line far outside is clipped by the box; its coordinates stay short.
            double at = std::clamp(top(value), box.top - 1000, box.top + box.height + 1000);
            if (finite) path += text(joined ? 'L' : 'M', plot_point(left(view.x_at(cell)), at));
            joined = finite;
        }
        drawing.path(path, text("stroke=\"", color_text(plot_color(line)), '"'));
        if (line >= int64_t(names.size()))
            names.push_back(view.width == 1 ? std::string("predict") : text("predict_", line));
    }
    drawing.raw("</g>\n");
    drawing.legend(648, 66, names);
    return std::move(drawing).finish();
}

} // namespace gradc::runtime
