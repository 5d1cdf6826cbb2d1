// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Losses above zero that fall by more than a factor of thirty are drawn on a logarithmic axis.
#include "runtime/plot/curves.h"
#include "runtime/base/text.h"
#include "runtime/plot/drawing.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

namespace {

constexpr double panel_width = 400, panel_height = 250, margin_left = 62, margin_top = 80, gap_right = 74,
                 gap_below = 86;
constexpr size_t most_points = 500; // of a line; its pixels show no more

struct CurvePoint {
    double epoch, value;
};
struct Curve {
    std::string split;
    int64_t color;
    std::vector<CurvePoint> points;
};
struct CurvePanel {
    std::string metric;
    std::vector<Curve> curves;
};

std::vector<std::string> splits_of(const std::vector<EpochReport>& epochs) {
    std::vector<std::string> names;
    for (const EpochReport& epoch : epochs) {
        for (const SplitReport& split : epoch.splits) {
            if (std::find(names.begin(), names.end(), split.split) == names.end()) names.push_back(split.split);
        }
    }
    return names;
}

CurvePanel& panel_of(std::vector<CurvePanel>& panels, const std::string& metric,
                     const std::vector<std::string>& splits) {
    for (CurvePanel& panel : panels) {
        if (panel.metric == metric) return panel;
    }
    panels.push_back({metric, {}});
    for (size_t i = 0; i < splits.size(); i++) panels.back().curves.push_back({splits[i], int64_t(i), {}});
    return panels.back();
}

std::vector<CurvePanel> panels_of(const std::vector<EpochReport>& epochs, const std::vector<std::string>& splits) {
    std::vector<CurvePanel> panels;
    size_t every = (epochs.size() + most_points - 1) / most_points;
    for (size_t e = 0; e < epochs.size(); e++) {
        if (e % every != 0 && e + 1 != epochs.size()) continue;
        for (const SplitReport& split : epochs[e].splits) {
            size_t number = size_t(std::find(splits.begin(), splits.end(), split.split) - splits.begin());
            for (const MetricValue& metric : split.metrics) {
                if (metric.values.size() != 1) continue;
                panel_of(panels, metric.name, splits)
                    .curves[number]
                    .points.push_back({double(epochs[e].epoch), metric.values[0]});
            }
        }
    }
    return panels;
}

PlotAxis value_axis(const CurvePanel& panel) {
    double low = INFINITY, high = -INFINITY;
    for (const Curve& curve : panel.curves) {
        for (const CurvePoint& point : curve.points) {
            if (!std::isfinite(point.value)) continue;
            low = std::min(low, point.value), high = std::max(high, point.value);
        }
    }
    if (low > high) low = 0, high = 1;
    return low > 0 && high > 30 * low ? logarithmic_axis(low, high) : round_axis(low, high);
}

void draw_curve(Drawing& drawing, const Curve& curve, const PlotBox& box, const PlotAxis& x, const PlotAxis& y) {
    std::string path, color = color_text(plot_color(curve.color));
    bool joined = false;
    for (const CurvePoint& point : curve.points) {
        bool finite = std::isfinite(point.value);
        double left = box.left + x.share(point.epoch) * box.width;
        double top = box.top + (1 - y.share(point.value)) * box.height;
        if (finite) path += text(joined ? 'L' : 'M', plot_point(left, top));
        joined = finite;
    }
    drawing.path(path, text("fill=\"none\" stroke=\"", color,
                            "\" stroke-width=\"2\" stroke-linejoin=\"round\" stroke-linecap=\"round\""));
}

/// The last value of each line at its end; labels that would overlap are moved apart.
void draw_ends(Drawing& drawing, const CurvePanel& panel, const PlotBox& box, const PlotAxis& x, const PlotAxis& y) {
    struct End {
        double top, dot;
        const Curve* curve;
    };
    std::vector<End> ends;
    for (const Curve& curve : panel.curves) {
        if (curve.points.empty() || !std::isfinite(curve.points.back().value)) continue;
        double top = box.top + (1 - y.share(curve.points.back().value)) * box.height;
        ends.push_back({top, top, &curve});
    }
    std::sort(ends.begin(), ends.end(), [](const End& a, const End& b) { return a.top < b.top; });
    for (size_t i = 1; i < ends.size(); i++) ends[i].top = std::max(ends[i].top, ends[i - 1].top + 14);
    double lowest = box.top + box.height - 2; // the labels of ticks are below
    for (size_t i = ends.size(); i-- > 0; lowest = ends[i].top - 14) ends[i].top = std::min(ends[i].top, lowest);
    for (const End& end : ends) {
        PlotColor color = plot_color(end.curve->color);
        const CurvePoint& last = end.curve->points.back();
        drawing.dot(box.left + x.share(last.epoch) * box.width, end.dot, 4, color);
        drawing.words(box.left + box.width + 9, end.top + 4, metric_number(last.value), Align::left,
                      text("font-weight=\"600\" style=\"fill:", color_text(color), '"'));
    }
}

void draw_key(Drawing& drawing, const std::vector<std::string>& splits, double left) {
    for (size_t i = 0; i < splits.size(); i++) {
        drawing.line(left, 46, left + 22, 46,
                     text("stroke-width=\"2.5\" stroke=\"", color_text(plot_color(int64_t(i))), '"'));
        drawing.words(left + 28, 50, splits[i], Align::left);
        left += 48 + 8 * double(columns_of(splits[i]));
    }
}

} // namespace

std::string draw_curves(std::string_view title, const std::vector<EpochReport>& epochs) {
    std::vector<std::string> splits = splits_of(epochs);
    std::vector<CurvePanel> panels = panels_of(epochs, splits);
    size_t across = std::clamp<size_t>(panels.size(), 1, panels.size() > 4 ? 3 : 2);
    size_t down = std::max<size_t>(1, (panels.size() + across - 1) / across);
    double step_x = panel_width + margin_left + gap_right, step_y = panel_height + gap_below;
    Drawing drawing(step_x * double(across), margin_top + step_y * double(down) - 24);
    drawing.words(margin_left, 27, title, Align::left, "font-size=\"16\" font-weight=\"600\"");
    draw_key(drawing, splits, margin_left);
    PlotAxis x =
        epochs.empty() ? tight_axis(0, 1) : tight_axis(double(epochs.front().epoch), double(epochs.back().epoch), true);
    for (size_t i = 0; i < panels.size(); i++) {
        PlotBox box{margin_left + step_x * double(i % across), margin_top + 12 + step_y * double(i / across),
                    panel_width, panel_height};
        PlotAxis y = value_axis(panels[i]);
        drawing.rectangle(box, "fill=\"#fff\"");
        drawing.axes(box, x, y, "epoch", "");
        drawing.words(box.left, box.top - 9, panels[i].metric, Align::left, "font-weight=\"600\"");
        for (const Curve& curve : panels[i].curves) draw_curve(drawing, curve, box, x, y);
        draw_ends(drawing, panels[i], box, x, y);
    }
    return std::move(drawing).finish();
}

} // namespace gradc::runtime
