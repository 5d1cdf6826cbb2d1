// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the boxes of a graph go: three lanes beside each other, the forward pass downwards, the way back upwards beside
// it, the updates stacked at the right. Rows follow from longest paths, orders in a row from barycentres of neighbours;
// edges that cross several rows of a lane pass through narrow gaps of their own. No two boxes overlap.
#pragma once
#include <cstddef>
#include <vector>

namespace gradc {

enum class Lane : unsigned char { forward, backward, update };

struct LayeredBox {
    Lane lane = Lane::forward;
    double width = 0, height = 0;
    size_t beside = none; // an update stands to the right of this other box of its lane
    size_t after = none;  // an update without gradients stands near this other update, a smaller number
    double x = 0, y = 0;  // of the upper left corner; set by lay_out
    static constexpr size_t none = size_t(-1);
};
struct LayeredEdge {
    size_t from = 0, to = 0;
    struct Point {
        double x, y;
    };
    std::vector<Point> bends; // within a lane: from box to box, through the gaps; set by lay_out
    bool across = false;      // leads to another lane: from side to side
};
struct LayeredDrawing {
    std::vector<LayeredBox> boxes;
    std::vector<LayeredEdge> edges; // inputs have smaller numbers than their readers
    double width = 0, height = 0;
    double lane_left[3] = {0, 0, 0};
};

void lay_out(LayeredDrawing& drawing);

} // namespace gradc
