// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The layout of a graph in three lanes: the forward pass downwards, the backward pass upwards beside it, the updates
// stacked on the right. Longest paths determine the rows, barycenters of neighbors the order in a row. Edges that cross
// several rows of a lane pass through narrow gaps. No two boxes overlap. All lengths are in pixels.
#pragma once
#include <cstddef>
#include <vector>

namespace gradc {

enum class Lane : unsigned char { forward, backward, update };

/// A box; `none` is no box.
struct LayeredBox {
    Lane lane = Lane::forward;
    double width = 0, height = 0;
    size_t beside = none; // an update is placed to the right of this box of its lane
    size_t after = none;  // an update without gradients is placed near this update, which has a smaller number
    double x = 0, y = 0;  // of the upper left corner; set by lay_out
    static constexpr size_t none = size_t(-1);
};
/// An edge between two boxes, by their numbers.
struct LayeredEdge {
    size_t from = 0, to = 0;
    struct Point {
        double x, y;
    };
    std::vector<Point> bends; // within a lane: from box to box through the gaps; set by lay_out
    bool across = false;      // leads to another lane: from side to side
};
struct LayeredDrawing {
    std::vector<LayeredBox> boxes;
    std::vector<LayeredEdge> edges; // boxes of inputs have smaller numbers than their readers
    double width = 0, height = 0;
    double lane_left[3] = {0, 0, 0};
};

/// Sets the places of boxes, the bends of edges, the lanes and the size of the drawing from lanes, sizes and edges.
void lay_out(LayeredDrawing& drawing);

} // namespace gradc
