// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ticks, colors and SVG elements.
#include "runtime/plot/drawing.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

// ---- axes --------------------------------------------------------------------------------------

// The C library's log and pow would be a tenth of a trainer's own code; pixels need less precision.

static double ten_to(int power) {
    double result = 1;
    for (int i = 0; i < std::abs(power); i++) result *= 10;
    return power < 0 ? 1 / result : result;
}
/// The largest power of ten that is at most `value` > 0.
static int power_below(double value) {
    int power = 0;
    while (power > -300 && value < ten_to(power) * (1 - 1e-9)) power--;
    while (power < 300 && value >= ten_to(power + 1) * (1 - 1e-9)) power++;
    return power;
}
/// The natural logarithm of a normal number above 0 to eight digits: 2 atanh((m - 1) / (m + 1)) by its series.
static double logarithm(double value) {
    int exponent;
    double m = std::frexp(value, &exponent), s = (m - 1) / (m + 1), term = s, sum = 0;
    for (int i = 1; i < 16; i += 2, term *= s * s) sum += term / i;
    return 2 * sum + 0.6931471805599453 * exponent;
}

/// 1, 2 or 5 times a power of ten, such that about five ticks fit.
static double round_step(double low, double high) {
    double raw = (high - low) / 5, power = ten_to(power_below(raw)), digit = raw / power;
    return power * (digit < 1.2 ? 1 : digit < 3 ? 2 : digit < 6.5 ? 5 : 10);
}

/// A margin around a single value.
static void widen(double& low, double& high) {
    if (high > low) return;
    double room = low == 0 ? 1 : 0.1 * std::fabs(low);
    low -= room, high += room;
}

static void add_ticks(PlotAxis& axis, double step) {
    auto first = int64_t(std::ceil(axis.low / step - 1e-6));
    auto last = int64_t(std::floor(axis.high / step + 1e-6));
    for (int64_t i = first; i <= last; i++) axis.ticks.push_back(double(i) * step);
}

PlotAxis tight_axis(double low, double high, bool integer) {
    widen(low, high);
    PlotAxis axis{low, high, false, {}};
    double step = round_step(low, high);
    add_ticks(axis, integer ? std::max(1.0, step) : step);
    return axis;
}

PlotAxis round_axis(double low, double high) {
    widen(low, high);
    double step = round_step(low, high);
    PlotAxis axis{step * std::floor(low / step + 1e-9), step * std::ceil(high / step - 1e-9), false, {}};
    add_ticks(axis, step);
    return axis;
}

PlotAxis logarithmic_axis(double low, double high) {
    int first = power_below(low), last = power_below(high);
    last = std::max(first + 1, high > ten_to(last) * (1 + 1e-9) ? last + 1 : last);
    PlotAxis axis{ten_to(first), ten_to(last), true, {}};
    int every = (last - first + 7) / 8;
    for (int power = first; power <= last; power += every) {
        for (int digit : {1, 2, 5}) {
            if (digit == 1 || (last - first <= 2 && power < last)) axis.ticks.push_back(digit * ten_to(power));
        }
    }
    return axis;
}

std::vector<double> round_levels(double low, double high, size_t most) {
    static constexpr uint8_t digits[][11] = {
        {10, 12, 15, 20, 25, 30, 40, 50, 60, 80}, {10, 15, 20, 30, 50, 70}, {10, 20, 50}, {10, 30}, {10}};
    std::vector<double> levels;
    if (!(low > 0 && high > 3 * low)) return tight_axis(low, high).ticks;
    for (int set = 0;; set++) {
        int every = std::max(1, set - 3); // powers of ten
        levels.clear();
        for (int power = power_below(low); ten_to(power) < high; power += every) {
            for (const uint8_t* digit = digits[std::min(set, 4)]; *digit; digit++) {
                double level = *digit * ten_to(power - 1);
                if (level > low && level < high) levels.push_back(level);
            }
        }
        if (levels.size() <= most) return levels;
    }
}

double PlotAxis::share(double value) const {
    if (!logarithmic) return (value - low) / (high - low);
    return logarithm(std::max(value, low) / low) / logarithm(high / low);
}

std::string tick_label(double value) {
    std::string label = general(std::fabs(value), 5);
    return value < 0 ? "\u2212" + label : label;
}

// ---- colors ------------------------------------------------------------------------------------

PlotColor plot_color(int64_t number) {
    static constexpr PlotColor colors[] = {
        {0x00, 0x72, 0xB2}, {0xD5, 0x5E, 0x00}, {0x00, 0x9E, 0x73}, {0xCC, 0x79, 0xA7}, {0xE6, 0x9F, 0x00},
        {0x56, 0xB4, 0xE9}, {0x88, 0x22, 0x55}, {0x6B, 0x6B, 0x6B}, {0x33, 0x22, 0x88}, {0x99, 0x99, 0x33}};
    return colors[number % 10];
}

static PlotColor blended(PlotColor from, PlotColor to, double share) {
    auto channel = [&](uint8_t a, uint8_t b) { return uint8_t(a + (b - a) * share + 0.5); };
    return {channel(from.red, to.red), channel(from.green, to.green), channel(from.blue, to.blue)};
}

PlotColor tinted(PlotColor color, double strength) {
    return blended({255, 255, 255}, color, std::clamp(strength, 0.0, 1.0));
}

PlotColor heat_color(double share) {
    static constexpr PlotColor anchors[] = {
        {255, 255, 217}, {161, 218, 180}, {65, 182, 196}, {44, 127, 184}, {12, 44, 132}};
    double at = std::clamp(share, 0.0, 1.0) * 4;
    int below = std::min(3, int(at));
    return blended(anchors[below], anchors[below + 1], at - below);
}

std::string color_text(PlotColor color) {
    std::string digits = hexadecimal(uint64_t(color.red) << 16 | uint64_t(color.green) << 8 | color.blue);
    return "#" + digits.substr(10);
}

// ---- shapes ------------------------------------------------------------------------------------

static std::string coordinate(double value) { return general(std::floor(value * 10 + 0.5) / 10, 7); }

std::string plot_point(double x, double y) { return text(coordinate(x), ' ', coordinate(y)); }

std::string xml_escaped(std::string_view words) {
    std::string result;
    for (char c : visible(words)) { // XML has no control characters
        switch (c) {
        case '&': result += "&amp;"; break;
        case '<': result += "&lt;"; break;
        case '"': result += "&quot;"; break;
        default: result += c;
        }
    }
    return result;
}

Drawing::Drawing(double width, double height) {
    text_ = text("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", coordinate(width), "\" height=\"",
                 coordinate(height), "\" viewBox=\"0 0 ", plot_point(width, height),
                 "\" font-family=\"system-ui,'DejaVu Sans',sans-serif\" font-size=\"12\" "
                 "fill=\"#444\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fdfdfc\"/>\n");
}

void Drawing::words(double x, double y, std::string_view words, Align align, std::string_view style) {
    static constexpr const char* anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    text_ += text("<text x=\"", coordinate(x), "\" y=\"", coordinate(y), '"', anchors[int(align)],
                  style.empty() ? "" : " ", style, '>', xml_escaped(words), "</text>\n");
}

void Drawing::line(double x1, double y1, double x2, double y2, std::string_view style) {
    path(text('M', plot_point(x1, y1), 'L', plot_point(x2, y2)), style);
}

void Drawing::path(std::string_view path, std::string_view style) {
    text_ += text("<path d=\"", path, "\" ", style, "/>\n");
}

void Drawing::dot(double x, double y, double radius, PlotColor color) {
    text_ += text("<circle cx=\"", coordinate(x), "\" cy=\"", coordinate(y), "\" r=\"", coordinate(radius),
                  "\" fill=\"", color_text(color), "\" stroke=\"#fff\" stroke-width=\".7\"/>\n");
}

void Drawing::rectangle(const PlotBox& box, std::string_view style) {
    text_ += text("<rect x=\"", coordinate(box.left), "\" y=\"", coordinate(box.top), "\" width=\"",
                  coordinate(box.width), "\" height=\"", coordinate(box.height), "\" ", style, "/>\n");
}

void Drawing::open_clip(const PlotBox& box, std::string_view style) {
    text_ += "<clipPath id=\"box\">";
    rectangle(box, "");
    text_ += text("</clipPath>\n<g clip-path=\"url(#box)\"", style.empty() ? "" : " ", style, ">\n");
}

void Drawing::axes(const PlotBox& box, const PlotAxis& x, const PlotAxis& y, std::string_view x_name,
                   std::string_view y_name) {
    double right = box.left + box.width, bottom = box.top + box.height;
    std::string grid;
    for (double tick : x.ticks) {
        double at = box.left + x.share(tick) * box.width;
        grid += text('M', plot_point(at, box.top), 'L', plot_point(at, bottom + 4));
        words(at, bottom + 18, tick_label(tick), Align::middle);
    }
    for (double tick : y.ticks) {
        double at = bottom - y.share(tick) * box.height;
        grid += text('M', plot_point(box.left - 4, at), 'L', plot_point(right, at));
        words(box.left - 8, at + 4, tick_label(tick), Align::right);
    }
    path(grid, "stroke=\"#000\" stroke-opacity=\".1\" fill=\"none\"");
    rectangle(box, "fill=\"none\" stroke=\"#999\"");
    words(box.left + box.width / 2, bottom + 37, x_name, Align::middle);
    words(box.left, box.top - 9, y_name, Align::left);
}

void Drawing::legend(double x, double y, const std::vector<std::string>& names) {
    for (size_t i = 0; i < names.size(); i++) {
        double at = y + 20 * double(i);
        dot(x, at - 4, 5, plot_color(int64_t(i)));
        words(x + 12, at, names[i], Align::left);
    }
}

std::string Drawing::finish() && { return std::move(text_) + "</svg>\n"; }

std::string cell_paths(const std::vector<int>& levels, int64_t columns, const std::vector<PlotColor>& fills) {
    std::vector<std::string> paths(fills.size());
    int64_t rows = int64_t(levels.size()) / columns;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t column = 0, end; column < columns; column = end) {
            int level = levels[size_t(row * columns + column)];
            for (end = column + 1; end < columns; end++) {
                if (levels[size_t(row * columns + end)] != level) break;
            }
            if (level < 0) continue;
            paths[size_t(level)] += text('M', column, ' ', row, 'h', end - column, "v1h", column - end, 'z');
        }
    }
    std::string result;
    for (size_t level = 0; level < paths.size(); level++) {
        if (paths[level].empty()) continue;
        result += text("<path fill=\"", color_text(fills[level]), "\" d=\"", paths[level], "\"/>\n");
    }
    return result;
}

} // namespace gradc::runtime
