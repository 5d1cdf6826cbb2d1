// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Regions of classes. The color of a cell is its class, stronger for a larger lead; borders are where the lead of a
// class is zero.
#include "runtime/base/text.h"
#include "runtime/plot/contours.h"
#include "runtime/plot/grid.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

namespace {

constexpr int strengths = 8, heights = 24;
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
    void draw_cells(Drawing& drawing) const;
    void draw_dots(Drawing& drawing, const PlotAxis& x, const PlotAxis& y) const;
    void draw_scale(Drawing& drawing) const;
    std::vector<std::string> class_names() const;

    const GridView& view_;
    int64_t cells_;
    bool is_height_ = false, is_share_ = true; // share: all numbers are in 0..1
    int64_t classes_ = 2;
    double low_ = 0, high_ = 1; // of heights
    std::vector<int> levels_;   // class * strengths + strength, or height
};

RegionMap::RegionMap(const GridView& view) : view_(view), cells_(view.side * view.side) {
    for (double value : view.values) is_share_ = is_share_ && value >= 0 && value <= 1;
    is_height_ = view.width == 1 && !view.integer && !is_share_;
    levels_.resize(size_t(cells_), -1);
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
            levels_[size_t(cell)] = int(c) * strengths + strength;
        }
    }
}

void RegionMap::find_heights() {
    low_ = INFINITY, high_ = -INFINITY;
    auto take = [&](const std::vector<double>& values) {
        for (double value : values) {
            if (std::isfinite(value)) low_ = std::min(low_, value), high_ = std::max(high_, value);
        }
    };
    take(view_.values);
    take(view_.labels);
    if (!(high_ > low_)) high_ = low_ + 1;
    for (int64_t cell = 0; cell < cells_; cell++) {
        double share = (view_.values[size_t(cell)] - low_) / (high_ - low_);
        if (std::isfinite(share)) levels_[size_t(cell)] = std::clamp(int(share * heights), 0, heights - 1);
    }
}

/// Where the lead of a class is zero; leads are known at the middles of cells.
std::string RegionMap::border(int64_t of) const {
    double half = map_box.width / double(2 * view_.side);
    HeightMap leads{
        {}, view_.side, {map_box.left + half, map_box.top + half, map_box.width - 2 * half, map_box.height - 2 * half}};
    for (int64_t cell = 0; cell < cells_; cell++) {
        double ahead = lead(cell, of);
        leads.heights.push_back(std::isnan(ahead) ? -1 : ahead);
    }
    return contour(leads, 0);
}

void RegionMap::draw_cells(Drawing& drawing) const {
    std::vector<PlotColor> fills;
    for (int i = 0; is_height_ && i < heights; i++) fills.push_back(heat_color((i + 0.5) / heights));
    for (int64_t i = 0; !is_height_ && i < classes_ * strengths; i++)
        fills.push_back(tinted(plot_color(i / strengths), 0.1 + 0.055 * double(i % strengths)));
    std::string scale = exact(map_box.width / double(view_.side));
    // Rows run upwards.
    drawing.raw(text("<g shape-rendering=\"crispEdges\" transform=\"translate(",
                     plot_point(map_box.left, map_box.top + map_box.height), ") scale(", scale, " -", scale, ")\">\n"));
    drawing.raw(cell_paths(levels_, view_.side, fills));
    drawing.raw("</g>\n");
    if (is_height_ || view_.integer) return;
    drawing.open_clip(map_box, "fill=\"none\" stroke=\"#333\"");
    for (int64_t c = view_.width == 1 ? 1 : 0; c < classes_; c++) {
        std::string path = border(c);
        if (!path.empty()) drawing.path(path, "stroke-width=\"1.4\"");
    }
    drawing.raw("</g>\n");
}

void RegionMap::draw_dots(Drawing& drawing, const PlotAxis& x, const PlotAxis& y) const {
    size_t every = (view_.dots_x.size() + most_dots - 1) / most_dots;
    double radius = view_.dots_x.size() < 30 ? 6 : 3.2;
    for (size_t i = 0; i < view_.dots_x.size(); i += every) {
        PlotColor color{0x66, 0x66, 0x66};
        if (i < view_.labels.size()) {
            color = is_height_ ? heat_color((view_.labels[i] - low_) / (high_ - low_))
                               : plot_color(int64_t(std::clamp(view_.labels[i], 0.0, 99.0)));
        }
        drawing.dot(map_box.left + x.share(view_.dots_x[i]) * map_box.width,
                    map_box.top + (1 - y.share(view_.dots_y[i])) * map_box.height, radius, color);
    }
}

/// The scale of colors of heights, with ticks.
void RegionMap::draw_scale(Drawing& drawing) const {
    PlotAxis axis = tight_axis(low_, high_);
    constexpr double left = 550, height = 300, top = 128;
    for (int i = 0; i < heights; i++)
        drawing.rectangle({left, top + height * (1 - (i + 1.0) / heights), 16, height / heights + 0.5},
                          text("fill=\"", color_text(heat_color((i + 0.5) / heights)), '"'));
    for (double tick : axis.ticks)
        drawing.words(left + 22, top + height * (1 - axis.share(tick)) + 4, tick_label(tick), Align::left);
}

std::vector<std::string> RegionMap::class_names() const {
    std::vector<std::string> names = view_.names;
    for (int64_t c = int64_t(names.size()); c < std::min<int64_t>(classes_, 20); c++) names.push_back(integer(c));
    return names;
}

std::string RegionMap::drawn() {
    Drawing drawing(660, 578);
    PlotAxis x = tight_axis(view_.x_low, view_.x_high), y = tight_axis(view_.y_low, view_.y_high);
    drawing.words(map_box.left, 24, view_.title, Align::left, "font-size=\"16\" font-weight=\"600\"");
    draw_cells(drawing);
    drawing.axes(map_box, x, y, view_.x_name, view_.y_name);
    draw_dots(drawing, x, y);
    drawing.words(544, 62, view_.label_name, Align::left, "font-weight=\"600\"");
    if (is_height_) {
        draw_scale(drawing);
    } else {
        drawing.legend(550, 86, class_names());
    }
    return std::move(drawing).finish();
}

} // namespace

std::string draw_regions(const GridView& view) { return RegionMap(view).drawn(); }

} // namespace gradc::runtime
