// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The landscape is drawn once, as bands of equal loss with lines in between, and used by every panel.
#include "compiler/landscape/trajectories.h"
#include "runtime/plot/contours.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>

namespace gradc {
namespace {

using runtime::Align;
using runtime::Drawing;
using runtime::PlotAxis;
using runtime::PlotBox;
using runtime::PlotColor;

constexpr int bands = 16, most_columns = 4;
constexpr double box_width = 236, box_height = 196, left = 62, top = 104, gap_x = 26, gap_y = 58, right = 24,
                 bottom = 56, legend_line = 20;
constexpr size_t most_dotted = 100; // longer paths have no dots

class TrajectoryDrawing {
public:
    explicit TrajectoryDrawing(const TrajectoryPicture& picture)
        : picture_(picture), view_(picture.landscape), x_(runtime::tight_axis(view_.x_low, view_.x_high)),
          y_(runtime::tight_axis(view_.y_low, view_.y_high)) {
        columns_ = std::min(most_columns, int(picture.panels.size()));
        rows_ = (int(picture.panels.size()) + columns_ - 1) / columns_;
        width_ =
            std::max(left + columns_ * (box_width + gap_x) - gap_x, left + 10.5 * double(picture.title.size())) + right;
        // The last column has no right neighbor.
        for (size_t i = size_t(columns_) - 1; i < picture.panels.size(); i += size_t(columns_))
            width_ = std::max(width_, left + (columns_ - 1) * (box_width + gap_x) +
                                          6.4 * double(picture.panels[i].optimizer.size()) + right);
        lowest_ = lowest_corner();
        lay_out_legend();
    }

    std::string drawn() {
        Drawing drawing(width_, top_ + rows_ * (box_height + gap_y) - gap_y + bottom);
        drawing.words(left, 32, picture_.title, Align::left, "font-size=\"18\" font-weight=\"600\"");
        legend(drawing);
        ground(drawing);
        for (size_t i = 0; i < picture_.panels.size(); ++i) panel(drawing, int(i));
        return std::move(drawing).finish();
    }

private:
    double level(int number) const { return low_ + (high_ - low_) * std::pow(double(number) / bands, 2.2); }
    double x_at(double column) const { return column / view_.side * box_width; }
    double y_at(double row) const { return (1 - row / view_.side) * box_height; }

    /// One mark of the legend with its label; each occurs in a panel.
    struct Entry {
        enum class Mark : uint8_t { path, start, lowest } mark;
        std::string words;
        int64_t number = 0; // of the path
        double x = 0, y = 0;
    };

    /// The marks from left to right, in as many lines as the width needs.
    void lay_out_legend() {
        const auto& paths = picture_.panels[0].paths;
        for (size_t i = 0; i < paths.size(); ++i)
            if (!paths[i].rows.empty()) entries_.push_back({Entry::Mark::path, paths[i].rows, int64_t(i)});
        entries_.push_back({Entry::Mark::start, "start"});
        if (lowest_) entries_.push_back({Entry::Mark::lowest, "lowest loss"});
        double x = left + 5, y = 52;
        for (Entry& entry : entries_) {
            double end = x + 11 + 7.2 * double(entry.words.size());
            if (x > left + 5 && end > width_) end += left + 5 - x, x = left + 5, y += legend_line;
            entry.x = x, entry.y = y;
            x = end + 23;
        }
        top_ = top + y - 52;
    }

    void legend(Drawing& drawing) const {
        for (const Entry& entry : entries_) {
            if (entry.mark == Entry::Mark::path) drawing.dot(entry.x, entry.y, 5, runtime::plot_color(entry.number));
            else if (entry.mark == Entry::Mark::start) drawing.raw(start_mark(entry.x, entry.y));
            else drawing.path(lowest_mark(entry.x, entry.y), lowest_style);
            drawing.words(entry.x + 11, entry.y + 4, entry.words, Align::left);
        }
    }

    /// The corner with the least loss; nothing if it is at the edge, where it is no minimum.
    std::optional<std::pair<int, int>> lowest_corner() const {
        auto lowest = std::min_element(view_.losses.begin(), view_.losses.end(),
                                       [](double a, double b) { return std::isfinite(a) && !(a >= b); });
        int at = int(lowest - view_.losses.begin()), column = at % (view_.side + 1), row = at / (view_.side + 1);
        if (column == 0 || row == 0 || column == view_.side || row == view_.side) return {};
        return std::pair(column, row);
    }

    static std::string start_mark(double x, double y) {
        return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"#fff\" stroke=\"#222\" "
                           "stroke-width=\"1.4\"/>\n",
                           x, y);
    }
    static std::string lowest_mark(double x, double y) {
        return "M" + runtime::plot_point(x - 5, y) + "h10M" + runtime::plot_point(x, y - 5) + "v10";
    }
    static constexpr const char* lowest_style = "stroke=\"#222\" stroke-width=\"1.2\" fill=\"none\"";

    void ground(Drawing& drawing) {
        std::vector<double> finite;
        for (double each : view_.losses)
            if (std::isfinite(each)) finite.push_back(each);
        if (finite.empty()) finite = {0, 1};
        low_ = *std::min_element(finite.begin(), finite.end());
        high_ = *std::max_element(finite.begin(), finite.end());
        auto fill = [](int band) {
            return runtime::color_text(runtime::tinted(runtime::heat_color(double(band) / bands), 0.5));
        };
        drawing.raw(fmt::format("<defs><clipPath id=\"inside\"><rect width=\"{0}\" height=\"{1}\"/></clipPath>\n"
                                "<g id=\"ground\"><rect width=\"{0}\" height=\"{1}\" fill=\"{2}\"/>\n"
                                "<g stroke=\"#35506b\" stroke-opacity=\".35\" stroke-width=\".8\">\n",
                                box_width, box_height, fill(0)));
        runtime::HeightMap map{view_.losses, view_.side + 1, {0, 0, box_width, box_height}};
        for (int i = 1; i < bands; ++i)
            drawing.path(runtime::contour(map, level(i)), fmt::format("fill=\"{}\"", fill(i)));
        drawing.raw("</g>\n");
        if (lowest_) drawing.path(lowest_mark(x_at(lowest_->first), y_at(lowest_->second)), lowest_style);
        drawing.raw("</g></defs>\n");
    }

    void panel(Drawing& drawing, int number) const {
        const PathPanel& panel = picture_.panels[size_t(number)];
        int column = number % columns_, row = number / columns_;
        PlotBox box{left + column * (box_width + gap_x), top_ + row * (box_height + gap_y), box_width, box_height};
        std::string name = panel.name;
        std::replace(name.begin(), name.end(), '_', ' ');
        drawing.words(box.left, box.top - 22, name, Align::left, "font-weight=\"600\" fill=\"#222\"");
        drawing.words(box.left, box.top - 7, panel.optimizer, Align::left,
                      "font-size=\"10.5\" font-family=\"'DejaVu Sans Mono',monospace\"");
        drawing.raw(fmt::format("<g transform=\"translate({})\"><g clip-path=\"url(#inside)\"><use "
                                "href=\"#ground\"/>\n",
                                runtime::plot_point(box.left, box.top)));
        for (size_t i = 0; i < panel.paths.size(); ++i) path(drawing, panel.paths[i], runtime::plot_color(int64_t(i)));
        for (size_t i = 0; i < panel.paths.size(); ++i) ends(drawing, panel.paths[i], runtime::plot_color(int64_t(i)));
        drawing.raw("</g></g>\n");
        frame(drawing, box, column == 0, number + columns_ >= int(picture_.panels.size()));
    }

    std::pair<double, double> point(Place2 place) const {
        // Clamped, since SVG readers keep few digits.
        return {std::clamp(x_.share(place.x), -50.0, 50.0) * box_width,
                (1 - std::clamp(y_.share(place.y), -50.0, 50.0)) * box_height};
    }

    void path(Drawing& drawing, const WalkedPath& path, PlotColor color) const {
        std::string line;
        for (Place2 place : path.places) {
            auto [x, y] = point(place);
            line += (line.empty() ? "M" : "L") + runtime::plot_point(x, y);
        }
        std::string stroke = runtime::color_text(color);
        drawing.path(line, fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" stroke-opacity=\".85\" "
                                       "stroke-linejoin=\"round\"",
                                       stroke));
        if (path.places.size() > most_dotted) return;
        for (Place2 place : path.places) {
            auto [x, y] = point(place);
            drawing.raw(fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"1.8\" fill=\"{}\"/>", x, y, stroke));
        }
        drawing.raw("\n");
    }

    void ends(Drawing& drawing, const WalkedPath& path, PlotColor color) const {
        auto [x, y] = point(path.places[0]);
        drawing.raw(start_mark(x, y));
        auto [end_x, end_y] = point(path.places.back());
        drawing.dot(end_x, end_y, 4.5, color);
    }

    void frame(Drawing& drawing, const PlotBox& box, bool leftmost, bool lowest) const {
        double end = box.top + box.height;
        std::string ticks;
        for (double tick : x_.ticks) {
            double at = box.left + x_.share(tick) * box.width;
            ticks += "M" + runtime::plot_point(at, end) + "v4";
            if (lowest) drawing.words(at, end + 18, runtime::tick_label(tick), Align::middle);
        }
        for (double tick : y_.ticks) {
            double at = end - y_.share(tick) * box.height;
            ticks += "M" + runtime::plot_point(box.left, at) + "h-4";
            if (leftmost) drawing.words(box.left - 8, at + 4, runtime::tick_label(tick), Align::right);
        }
        drawing.path(ticks, "stroke=\"#888\" fill=\"none\"");
        drawing.rectangle(box, "fill=\"none\" stroke=\"#888\"");
        if (lowest)
            drawing.words(box.left + box.width / 2, end + 38, view_.x_name, Align::middle, "font-style=\"italic\"");
        if (!leftmost) return;
        double x = box.left - 44, y = box.top + box.height / 2;
        drawing.words(x, y, view_.y_name, Align::middle,
                      fmt::format("font-style=\"italic\" transform=\"rotate(-90 {} {})\"", x, y));
    }

    const TrajectoryPicture& picture_;
    const Landscape& view_;
    PlotAxis x_, y_;
    int columns_ = 1, rows_ = 1;
    double width_ = 0, top_ = top; // width of the picture; top of its first panel
    std::optional<std::pair<int, int>> lowest_;
    std::vector<Entry> entries_;
    double low_ = 0, high_ = 1; // of the losses
};

} // namespace

std::string draw_trajectories(const TrajectoryPicture& picture) { return TrajectoryDrawing(picture).drawn(); }

} // namespace gradc
