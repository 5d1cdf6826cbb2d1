// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Regions of classes, or contours of heights. The color of a cell is its class, stronger for a larger lead; borders are
// where the lead of a class is zero. Heights are painted from the lowest level to the highest, from light to dark.
#include "runtime/base/text.h"
#include "runtime/plot/contours.h"
#include "runtime/plot/grid.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

namespace {

constexpr int strengths = 8;
constexpr size_t most_levels = 20;
constexpr PlotBox map_box{64, 60, 460, 460};
constexpr size_t most_dots = 3000;

class RegionMap {
public:
    explicit RegionMap(const GridView& view);
    std::string drawn();

private:
    void find_classes();
    void find_heights();
    double lead(int64_t cell, int64_t of) const;
    std::string border(int64_t of) const;
    PlotColor height_color(double height) const;
    void draw_classes(Drawing& drawing) const;
    void draw_heights(Drawing& drawing) const;
    void draw_dots(Drawing& drawing, const PlotAxis& x, const PlotAxis& y) const;
    void draw_scale(Drawing& drawing) const;
    std::vector<std::string> class_names() const;

    const GridView& view_;
    int64_t cells_;
    bool is_height_ = false, is_share_ = true; // share: all numbers are in 0..1
    int64_t classes_ = 2;
    std::vector<double> levels_;   // of heights
    std::vector<int> cell_levels_; // class * strengths + strength; -1: no class
};

RegionMap::RegionMap(const GridView& view) : view_(view), cells_(view.side * view.side) {
    for (double value : view.values) is_share_ = is_share_ && value >= 0 && value <= 1;
    is_height_ = view.heights || (view.width == 1 && !view.integer && !is_share_);
    if (is_height_) {
        find_heights();
    } else {
        find_classes();
    }
}

/// The lead of class `of` over the best other class.
double RegionMap::lead(int64_t cell, int64_t of) const {
    const double* values = view_.values.data() + cell * view_.width;
    if (view_.width == 1) {
        if (view_.integer) return *values == double(of) ? 1 : -1;
        return of == 1 ? 2 * *values - 1 : 1 - 2 * *values;
    }
    double other = -INFINITY;
    for (int64_t c = 0; c < view_.width; c++) {
        if (c != of) other = std::max(other, values[c]);
    }
    return values[of] - other;
}

void RegionMap::find_classes() {
    cell_levels_.resize(size_t(cells_), -1);
    classes_ = view_.width > 1 ? view_.width : 2;
    if (view_.integer && view_.width == 1) {
        for (double value : view_.values) classes_ = std::max(classes_, int64_t(std::clamp(value, 0.0, 99.0)) + 1);
    }
    for (int64_t cell = 0; cell < cells_; cell++) {
        for (int64_t c = 0; c < classes_; c++) {
            double ahead = lead(cell, c);
            if (!(ahead >= 0)) continue;
            double sure = is_share_ && !view_.integer ? ahead : 0.5;
            int strength = std::clamp(int(sure * strengths), 0, strengths - 1);
            cell_levels_[size_t(cell)] = int(c) * strengths + strength;
        }
    }
}

void RegionMap::find_heights() {
    double low = INFINITY, high = -INFINITY;
    auto take = [&](const std::vector<double>& values) {
        for (double value : values) {
            if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
        }
    };
    take(view_.values);
    take(view_.labels);
    if (!(high > low)) low = low < high ? low : 0, high = low + 1;
    levels_ = round_levels(low, high, most_levels);
}

/// Where the lead of a class is zero; leads are known at the middles of cells.
std::string RegionMap::border(int64_t of) const {
    double cell_size = map_box.width / double(view_.side), half = cell_size / 2;
    HeightMap leads{{},
                    view_.side,
                    {map_box.left + half, map_box.top + half, map_box.width - cell_size, map_box.height - cell_size}};
    for (int64_t cell = 0; cell < cells_; cell++) {
        double ahead = lead(cell, of);
        leads.heights.push_back(std::isnan(ahead) ? -1 : ahead);
    }
    return contour(leads, 0);
}

/// Darker with each level, and with the area below it: a plateau of few levels has as many colors as a deep well.
PlotColor RegionMap::height_color(double height) const {
    double passed = 0, area = 0;
    for (double level : levels_) {
        if (height < level) break;
        passed += 1 / double(levels_.size());
        area = double(
            std::count_if(view_.values.begin(), view_.values.end(), [&](double value) { return value < level; }));
    }
    return heat_color(0.5 * (passed + area / double(view_.values.size())));
}

void RegionMap::draw_heights(Drawing& drawing) const {
    HeightMap map{view_.values, view_.side, map_box};
    drawing.rectangle(map_box, text("fill=\"", color_text(height_color(-INFINITY)), '"'));
    for (double level : levels_)
        drawing.path(contour(map, level), text("fill=\"", color_text(height_color(level)), '"'));
}

void RegionMap::draw_classes(Drawing& drawing) const {
    std::vector<PlotColor> fills;
    for (int64_t i = 0; i < classes_ * strengths; i++)
        fills.push_back(tinted(plot_color(i / strengths), 0.1 + 0.055 * double(i % strengths)));
    std::string scale = exact(map_box.width / double(view_.side));
    // Rows run upwards.
    drawing.raw(text("<g shape-rendering=\"crispEdges\" stroke=\"none\" transform=\"translate(",
                     plot_point(map_box.left, map_box.top + map_box.height), ") scale(", scale, " -", scale, ")\">\n"));
    drawing.raw(cell_paths(cell_levels_, view_.side, fills));
    drawing.raw("</g>\n");
    for (int64_t c = view_.width == 1 ? 1 : 0; c < classes_ && !view_.integer; c++) {
        std::string path = border(c);
        if (!path.empty()) drawing.path(path, "fill=\"none\" stroke-width=\"1.4\"");
    }
}

void RegionMap::draw_dots(Drawing& drawing, const PlotAxis& x, const PlotAxis& y) const {
    size_t every = (view_.dots_x.size() + most_dots - 1) / most_dots;
    double radius = view_.dots_x.size() < 30 ? 6 : 3.2;
    for (size_t i = 0; i < view_.dots_x.size(); i += every) {
        PlotColor color{0x66, 0x66, 0x66};
        if (i < view_.labels.size()) {
            color = is_height_ ? height_color(view_.labels[i])
                               : plot_color(int64_t(std::clamp(view_.labels[i], 0.0, 99.0)));
        }
        drawing.dot(map_box.left + x.share(view_.dots_x[i]) * map_box.width,
                    map_box.top + (1 - y.share(view_.dots_y[i])) * map_box.height, radius, color);
    }
}

/// A column of the colors, with the level at each change.
void RegionMap::draw_scale(Drawing& drawing) const {
    constexpr double left = 550, height = 20;
    double at = map_box.top + map_box.height - height;
    for (size_t i = 0; i <= levels_.size(); i++, at -= height) {
        double level = i > 0 ? levels_[i - 1] : -INFINITY;
        drawing.rectangle({left, at, 16, height}, text("fill=\"", color_text(height_color(level)), '"'));
        if (i > 0) drawing.words(left + 22, at + height + 4, tick_label(level), Align::left);
    }
    drawing.words(left, at + height - 9, view_.label_name, Align::left, "font-weight=\"600\"");
}

std::vector<std::string> RegionMap::class_names() const {
    std::vector<std::string> names = view_.names;
    for (int64_t c = int64_t(names.size()); c < std::min<int64_t>(classes_, 20); c++) names.push_back(integer(c));
    return names;
}

std::string RegionMap::drawn() {
    Drawing drawing(660, 578);
    // Heights are known at the middles of cells, and drawn between them.
    double room = is_height_ ? 0.5 / double(view_.side) : 0;
    double room_x = room * (view_.x_high - view_.x_low), room_y = room * (view_.y_high - view_.y_low);
    PlotAxis x = tight_axis(view_.x_low + room_x, view_.x_high - room_x);
    PlotAxis y = tight_axis(view_.y_low + room_y, view_.y_high - room_y);
    drawing.words(map_box.left, 24, view_.title, Align::left, "font-size=\"16\" font-weight=\"600\"");
    drawing.open_clip(map_box,
                      is_height_ ? "stroke=\"#123\" stroke-opacity=\".35\" stroke-width=\".7\"" : "stroke=\"#333\"");
    if (is_height_) {
        draw_heights(drawing);
    } else {
        draw_classes(drawing);
    }
    drawing.raw("</g>\n");
    drawing.axes(map_box, x, y, view_.x_name, view_.y_name);
    draw_dots(drawing, x, y);
    if (is_height_) {
        draw_scale(drawing);
    } else {
        drawing.words(544, 62, view_.label_name, Align::left, "font-weight=\"600\"");
        drawing.legend(550, 86, class_names());
    }
    return std::move(drawing).finish();
}

} // namespace

std::string draw_regions(const GridView& view) { return RegionMap(view).drawn(); }

} // namespace gradc::runtime
