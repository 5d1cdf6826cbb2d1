// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contours of heights over a grid: the one drawing of them, for `landscape`, for the borders of classes and for `gradc
// trajectories`.
#pragma once
#include "runtime/plot/drawing.h"

namespace gradc::runtime {

struct HeightMap {
    std::vector<double> heights; // at the nodes of the grid: x changes fastest, then y, upwards
    int64_t columns = 0;         // nodes of a row
    PlotBox box;                 // its corners are the outermost nodes
};

/// The outlines of the region where the height is at least `level`, or is no number, as an SVG path of closed curves.
/// It can be filled and stroked. At the edge of the grid the region goes on for one cell, so clip it at the box.
std::string contour(const HeightMap& map, double level);

} // namespace gradc::runtime
