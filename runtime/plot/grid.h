// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model seen over a grid of its inputs: two of them as a map of classes or heights, one as lines;
// the rows that it was trained on as dots.
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
    /// At the middle of each cell, `width` numbers: x runs fastest, then y, upwards. One input: y
    /// does not run.
    std::vector<double> values;
    int64_t width = 1;
    bool integer = false;                       // the value is the number of a class
    std::vector<double> dots_x, dots_y, labels; // labels may be missing

    double x_at(int64_t cell) const { return x_low + (double(cell) + 0.5) / double(side) * (x_high - x_low); }
    double y_at(int64_t cell) const { return y_low + (double(cell) + 0.5) / double(side) * (y_high - y_low); }
};

/// Two inputs. Several numbers are scores of classes, the largest wins; one number from 0 to 1 is
/// the probability of class 1; any other is a height.
std::string draw_regions(const GridView& view);
/// One input: a line for each number; labels are the dots' heights.
std::string draw_lines(const GridView& view);

} // namespace gradc::runtime
