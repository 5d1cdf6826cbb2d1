// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Marching squares: a contour is followed from cell to cell, with the region on its left, until it is closed. It crosses
// the edges of the grid where the interpolated height is the level. These points are the controls of a quadratic spline.
#include "runtime/plot/contours.h"
#include "runtime/base/text.h"
#include <cmath>

namespace gradc::runtime {

namespace {

/// Follows contours on a copy of the grid with a border of nodes that are below every level.
class Outlines {
public:
    Outlines(const HeightMap& map, double level)
        : map_(map), level_(level), width_(map.columns + 2), rows_(int64_t(map.heights.size()) / map.columns),
          heights_(size_t(width_ * (rows_ + 2)), -INFINITY) {
        followed_.resize(heights_.size());
        for (size_t i = 0; i < map.heights.size(); i++)
            heights_[size_t((int64_t(i) / map.columns + 1) * width_ + int64_t(i) % map.columns + 1)] = map.heights[i];
        scale_x_ = map.box.width / double(map.columns - 1);
        scale_y_ = map.box.height / double(rows_ - 1);
    }

    std::string drawn() {
        // Every contour has an edge with the region on the left and its outside on the right.
        for (int64_t node = 0; node + 1 < int64_t(heights_.size()); node++) {
            if (inside(node) && !inside(node + 1) && !followed_[size_t(node)]) follow(node);
        }
        return std::move(path_);
    }

private:
    bool inside(int64_t node) const { return !(heights_[size_t(node)] < level_); }

    void add_crossing(int64_t from, int64_t to) {
        double high = heights_[size_t(from)], low = heights_[size_t(to)];
        double share = low == -INFINITY ? 1 : (high - level_) / (high - low);
        if (!(share >= 0)) share = 0.5; // infinite heights
        double column = double(from % width_) + share * double(to % width_ - from % width_) - 1;
        double row = double(from / width_) + share * double(to / width_ - from / width_) - 1;
        points_.push_back(map_.box.left + column * scale_x_);
        points_.push_back(map_.box.top + map_.box.height - row * scale_y_);
    }

    /// Where two opposite corners of a cell are inside, they stay apart: the contour turns around the one at its left.
    void follow(int64_t left) {
        const int64_t first = left, steps[] = {1, width_, -1, -width_}; // each a quarter turn to the left of the last
        unsigned across = 0; // the step from the node at the left of the contour to the one at its right
        points_.clear();
        do {
            if (across == 0) followed_[size_t(left)] = 1;
            add_crossing(left, left + steps[across]);
            int64_t ahead = left + steps[(across + 1) % 4];
            if (!inside(ahead)) {
                across = (across + 1) % 4;
            } else if (left = ahead; inside(ahead + steps[across])) {
                left = ahead + steps[across];
                across = (across + 3) % 4;
            }
        } while (left != first || across != 0);
        add_curve();
    }

    /// The curve goes through the middles between the points. The reflection of one control at such a middle is the next
    /// control, so that it need not be written until rounded coordinates have moved it.
    void add_curve() {
        size_t count = points_.size();
        double at[2], control[2], end[2];
        auto in_tenths = [](double value) { return std::floor(value * 10 + 0.5) / 10; };
        for (size_t i = 0; i <= count; i += 2) { // first only the start
            bool near = i > 2;
            for (size_t axis = 0; axis < 2; axis++) {
                double due = points_[(i + count - 2 + axis) % count];
                end[axis] = in_tenths((due + points_[(i + axis) % count]) / 2);
                if (i == 0) continue;
                control[axis] = i > 2 ? 2 * at[axis] - control[axis] : due;
                near = near && std::fabs(control[axis] - due) < 0.2;
            }
            if (i == 0) {
                path_ += text('M', plot_point(end[0], end[1]));
            } else if (near) {
                path_ += text('t', plot_point(end[0] - at[0], end[1] - at[1]));
            } else {
                for (size_t axis = 0; axis < 2; axis++) control[axis] = in_tenths(points_[i - 2 + axis]);
                path_ += text('q', plot_point(control[0] - at[0], control[1] - at[1]), ' ',
                              plot_point(end[0] - at[0], end[1] - at[1]));
            }
            at[0] = end[0], at[1] = end[1];
        }
        path_ += 'z';
    }

    const HeightMap& map_;
    double level_;
    int64_t width_, rows_; // nodes of a row, with the border; rows without it
    double scale_x_, scale_y_;
    std::vector<double> heights_;
    std::vector<unsigned char> followed_; // by node: the edge to its right neighbor
    std::vector<double> points_;          // of one contour: x, y, x, y, ..
    std::string path_;
};

} // namespace

std::string contour(const HeightMap& map, double level) { return Outlines(map, level).drawn(); }

} // namespace gradc::runtime
