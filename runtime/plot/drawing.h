// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pictures as SVG text: axes with ticks at round numbers, colors that color-blind readers can distinguish (Okabe and
// Ito, 2008), and the shapes that plots consist of. Coordinates are pixels from the top left corner.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

struct PlotAxis {
    double low = 0, high = 1;
    bool logarithmic = false;
    std::vector<double> ticks;
    /// 0 at `low`, 1 at `high`.
    double share(double value) const;
};
/// Contains low..high and ends at ticks.
PlotAxis round_axis(double low, double high);
/// Ends at low and high, with round ticks between; with `integer`, ticks are integers.
PlotAxis tight_axis(double low, double high, bool integer = false);
/// Logarithmic, for low > 0.
PlotAxis logarithmic_axis(double low, double high);
/// At most `most` round numbers inside low..high: of about equal ratio from digits such as 1, 2, 5 if low is above 0 and
/// high much larger, else of equal distance.
std::vector<double> round_levels(double low, double high, size_t most);
/// "0.25", "-3", "1e-05", with a true minus sign.
std::string tick_label(double value);

struct PlotColor {
    uint8_t red, green, blue;
};
/// The color of a class, line or split by number; colors repeat after ten.
PlotColor plot_color(int64_t number);
/// `strength` 1 is the color itself, 0 is white.
PlotColor tinted(PlotColor color, double strength);
/// Light yellow at 0, dark blue at 1, darker in between.
PlotColor heat_color(double share);
std::string color_text(PlotColor color);

struct PlotBox {
    double left, top, width, height;
};

/// Alignment of text.
enum class Align : uint8_t { left, middle, right };

class Drawing {
public:
    Drawing(double width, double height);
    void words(double x, double y, std::string_view words, Align align, std::string_view style = "");
    void line(double x1, double y1, double x2, double y2, std::string_view style);
    void dot(double x, double y, double radius, PlotColor color);
    void rectangle(const PlotBox& box, std::string_view style);
    void path(std::string_view path, std::string_view style);
    void raw(std::string_view text) { text_ += text; }
    /// Opens a group, `</g>` ends it, of which only the part inside the box is seen. One in a picture.
    void open_clip(const PlotBox& box, std::string_view style = "");
    /// Draws grid, ticks and tick labels around a box, and the names of the axes below and at the left.
    void axes(const PlotBox& box, const PlotAxis& x, const PlotAxis& y, std::string_view x_name,
              std::string_view y_name);
    /// Draws a dot and a word for each name, downwards from (x, y).
    void legend(double x, double y, const std::vector<std::string>& names);
    std::string finish() &&;

private:
    std::string text_;
};

/// "12.5 3": at most one digit after the point.
std::string plot_point(double x, double y);
/// Escapes `&`, `<` and quotes for XML, and invisible characters.
std::string xml_escaped(std::string_view words);

/// Draws a picture of `columns` x `rows` cells with one level each (-1: empty), as one path for each level made of runs
/// along a row. `fill` returns the color of a level. A cell is one unit, so callers scale.
std::string cell_paths(const std::vector<int>& levels, int64_t columns, const std::vector<PlotColor>& fills);

} // namespace gradc::runtime
