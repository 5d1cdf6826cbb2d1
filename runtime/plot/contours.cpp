// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Marching squares: a contour is followed from cell to cell, with the region on its left, until it is closed. It crosses
// the edges of the grid where the interpolated height is the level. These points are the controls of a quadratic spline.
#include "runtime/plot/contours.h"
#include "runtime/base/text.h"
#include <cmath>

namespace gradc::runtime {

namespace {

struct Point {
    double x, y;
};
Point middle_of(Point a, Point b) { return {(a.x + b.x) / 2, (a.y + b.y) / 2}; }
double in_tenths(double value) { return std::floor(value * 10 + 0.5) / 10; }

class Outlines {
public:
    Outlines(const HeightMap& map, double level) : map_(map), level_(level), followed_(map.heights.size()) {}

    std::string drawn() {
        for (int64_t row = 0; row < map_.rows(); row++) {
            for (int64_t column = 0; column < map_.columns; column++) {
                // Every contour has an edge with the region on the left and its outside on the right.
                bool begins = inside({column, row}) && !inside({column + 1, row});
                if (begins && !followed_[size_t(row * map_.columns + column)]) follow({column, row});
            }
        }
        return std::move(path_);
    }

private:
    struct Node {
        int64_t column, row;
        Node operator+(Node other) const { return {column + other.column, row + other.row}; }
        bool operator==(const Node& other) const = default;
    };

    bool on_grid(Node at) const {
        return at.column >= 0 && at.row >= 0 && at.column < map_.columns && at.row < map_.rows();
    }
    double height(Node at) const { return map_.heights[size_t(at.row * map_.columns + at.column)]; }
    bool inside(Node at) const { return on_grid(at) && !(height(at) < level_); }

    Point crossing(Node from, Node to) const {
        double share = on_grid(to) ? (height(from) - level_) / (height(from) - height(to)) : 1;
        if (!(share >= 0)) share = 0.5; // infinite heights
        double x = double(from.column) + share * double(to.column - from.column);
        double y = double(from.row) + share * double(to.row - from.row);
        const PlotBox& box = map_.box;
        return {box.left + x / double(map_.columns - 1) * box.width,
                box.top + (1 - y / double(map_.rows() - 1)) * box.height};
    }

    /// Where two opposite corners of a cell are inside, they stay apart: the contour turns around the one at its left.
    void follow(Node left) {
        const Node first = left;
        Node across{1, 0}; // from the node at the left of the contour to the one at its right
        std::vector<Point> points;
        do {
            if (across == Node{1, 0}) followed_[size_t(left.row * map_.columns + left.column)] = true;
            points.push_back(crossing(left, left + across));
            Node ahead{-across.row, across.column}, back{across.row, -across.column};
            if (!inside(left + ahead)) {
                across = ahead;
            } else if (inside(left + ahead + across)) {
                left = left + ahead + across;
                across = back;
            } else {
                left = left + ahead;
            }
        } while (!(left == first && across == Node{1, 0}));
        add_curve(points);
    }

    /// The curve goes through the middles between the points. The reflection of one control at such a middle is the next
    /// control, so that it need not be written until rounded coordinates have moved it.
    void add_curve(const std::vector<Point>& points) {
        Point at = middle_of(points.back(), points[0]), control = at;
        at = {in_tenths(at.x), in_tenths(at.y)};
        path_ += text('M', plot_point(at.x, at.y));
        for (size_t i = 0; i < points.size(); i++) {
            Point reflected{2 * at.x - control.x, 2 * at.y - control.y}, due = points[i];
            bool near = i > 0 && std::fabs(reflected.x - due.x) < 0.2 && std::fabs(reflected.y - due.y) < 0.2;
            control = near ? reflected : Point{in_tenths(due.x), in_tenths(due.y)};
            path_ += near ? "t" : text('q', plot_point(control.x - at.x, control.y - at.y), ' ');
            Point end = middle_of(due, points[(i + 1) % points.size()]);
            end = {in_tenths(end.x), in_tenths(end.y)};
            path_ += plot_point(end.x - at.x, end.y - at.y);
            at = end;
        }
        path_ += 'z';
    }

    const HeightMap& map_;
    double level_;
    std::vector<bool> followed_; // by node: the edge to its right neighbor
    std::string path_;
};

} // namespace

std::string contour(const HeightMap& map, double level) { return Outlines(map, level).drawn(); }

} // namespace gradc::runtime
