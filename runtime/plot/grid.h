// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model over a grid of its inputs: two inputs as a map of classes or heights, one input as lines. The training rows
// are dots. A map of heights is also how the loss around weights is drawn.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gradc::runtime {

struct GridView {
    std::string title, x_name, y_name, label_name;
    std::vector<std::string> names; // of classes or lines; numbers if empty
    int64_t side = 0;               // cells of an axis
    double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
    /// `width` numbers at the middle of each cell; x changes fastest, then y, upwards. With one input there is no y.
    std::vector<double> values;
    int64_t width = 1;
    bool integer = false;                       // the value is the number of a class
    bool heights = false;                       // values are heights, even if they could be probabilities
    std::vector<double> dots_x, dots_y, labels; // labels may be empty

    double x_at(int64_t cell) const { return x_low + (double(cell) + 0.5) / double(side) * (x_high - x_low); }
    double y_at(int64_t cell) const { return y_low + (double(cell) + 0.5) / double(side) * (y_high - y_low); }
};

/// Two inputs. Several numbers are scores of classes, of which the largest wins; one number from 0 to 1 is the
/// probability of class 1; any other number is a height. Heights are drawn as contours at round numbers; what is not
/// finite is above all of them.
std::string draw_regions(const GridView& view);
/// One input: a line for each number; labels are the heights of the dots.
std::string draw_lines(const GridView& view);

} // namespace gradc::runtime
