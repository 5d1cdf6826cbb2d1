// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sugiyama's method, lane by lane: rows, gaps for long edges, orders by sweeps of barycenters, then coordinates pulled
// towards neighbors and pushed apart until boxes do not touch.
#include "compiler/page/layers.h"
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

namespace gradc {
namespace {

constexpr double gap = 18, row_gap = 34, lane_gap = 90, margin = 24, dummy_width = 6;
constexpr int sweeps = 12;

/// A box, or a gap through which a long edge passes a row.
struct Slot {
    size_t box = SIZE_MAX;
    double width = dummy_width, height = 0;
    int row = 0;
    double x = 0;                     // centre
    int side = 0;                     // -1: nothing in the lane leads to it, 1: it leads nowhere in the lane; both give
                                      // way to what is between
    std::vector<size_t> above, below; // slots in neighboring rows that edges lead to
};

class LaneLayout {
public:
    LaneLayout(LayeredDrawing& drawing, Lane lane, bool upwards) : drawing_(drawing), lane_(lane), upwards_(upwards) {
        rank();
        make_slots();
        order();
        place();
    }
    int rows() const { return int(rows_.size()); }
    double width() const { return width_; }

    /// Centers of rows are given from outside, so that lanes are level.
    void write(double left, const std::vector<double>& row_middle, int first_row) const {
        for (const Slot& slot : slots_) {
            if (slot.box == SIZE_MAX) continue;
            LayeredBox& box = drawing_.boxes[slot.box];
            box.x = left + slot.x - box.width / 2;
            box.y = row_middle[size_t(first_row + slot.row)] - box.height / 2;
        }
        for (const auto& [edge, path] : paths_) {
            LayeredEdge& drawn = drawing_.edges[edge];
            for (size_t slot : path)
                drawn.bends.push_back({left + slots_[slot].x, row_middle[size_t(first_row + slots_[slot].row)]});
        }
    }

    std::vector<double> heights() const { // by row
        std::vector<double> result(rows_.size(), 0);
        for (const Slot& slot : slots_) result[size_t(slot.row)] = std::max(result[size_t(slot.row)], slot.height);
        return result;
    }

private:
    bool inside(size_t box) const { return drawing_.boxes[box].lane == lane_; }

    /// Rows by longest paths. A box without inputs in the lane is placed just before its first reader.
    void rank() {
        const size_t count = drawing_.boxes.size();
        rank_.assign(count, 0);
        std::vector<bool> fed(count, false);
        for (size_t i = 0; i < count; ++i) // sorting edges by target would be faster, but graphs are small
            for (const LayeredEdge& edge : drawing_.edges)
                if (edge.to == i && inside(edge.from) && inside(edge.to)) {
                    rank_[i] = std::max(rank_[i], rank_[edge.from] + 1);
                    fed[i] = true;
                }
        for (size_t i = count; i-- > 0;) {
            if (!inside(i) || fed[i]) continue;
            int first = INT32_MAX;
            for (const LayeredEdge& edge : drawing_.edges)
                if (edge.from == i && inside(edge.to)) first = std::min(first, rank_[edge.to]);
            if (first != INT32_MAX) rank_[i] = first - 1;
        }
        highest_ = 0;
        for (size_t i = 0; i < count; ++i)
            if (inside(i)) highest_ = std::max(highest_, rank_[i]);
    }

    int row_of(size_t box) const { return upwards_ ? highest_ - rank_[box] : rank_[box]; }

    void make_slots() {
        rows_.resize(size_t(highest_) + 1);
        std::map<size_t, size_t> slot_of;
        for (size_t i = 0; i < drawing_.boxes.size(); ++i) {
            if (!inside(i)) continue;
            slot_of[i] = slots_.size();
            rows_[size_t(row_of(i))].push_back(slots_.size());
            slots_.push_back({i, drawing_.boxes[i].width, drawing_.boxes[i].height, row_of(i), 0, side_of(i), {}, {}});
        }
        for (size_t e = 0; e < drawing_.edges.size(); ++e) {
            const LayeredEdge& edge = drawing_.edges[e];
            if (!inside(edge.from) || !inside(edge.to)) continue;
            std::vector<size_t> path = {slot_of[edge.from]};
            int step = upwards_ ? -1 : 1, last = slots_[slot_of[edge.to]].row;
            for (int row = slots_[path[0]].row + step; row != last; row += step) {
                rows_[size_t(row)].push_back(slots_.size());
                path.push_back(slots_.size());
                slots_.push_back({});
                slots_.back().row = row;
            }
            path.push_back(slot_of[edge.to]);
            for (size_t i = 0; i + 1 < path.size(); ++i) {
                size_t upper = path[i], lower = path[i + 1];
                if (upwards_) std::swap(upper, lower);
                slots_[upper].below.push_back(lower);
                slots_[lower].above.push_back(upper);
            }
            paths_.push_back({e, path});
        }
    }

    int side_of(size_t box) const {
        bool fed = false, read = false;
        for (const LayeredEdge& edge : drawing_.edges) {
            fed = fed || (edge.to == box && inside(edge.from));
            read = read || (edge.from == box && inside(edge.to));
        }
        return fed == read ? 0 : fed ? 1 : -1;
    }

    double centre(const std::vector<size_t>& neighbours, double own) const {
        constexpr double at_side = 0.02; // relative to the weight 1 of other neighbors
        double sum = 0, weights = 0;
        for (size_t slot : neighbours) {
            double weight = slots_[slot].side ? at_side : 1;
            sum += weight * slots_[slot].x;
            weights += weight;
        }
        return weights > 0 ? sum / weights : own;
    }

    void order() {
        for (auto& row : rows_)
            for (size_t i = 0; i < row.size(); ++i) slots_[row[i]].x = double(i);
        auto sort_row = [&](std::vector<size_t>& row, bool by_above) {
            std::map<size_t, double> key;
            for (size_t slot : row)
                key[slot] = centre(by_above ? slots_[slot].above : slots_[slot].below, slots_[slot].x);
            std::stable_sort(row.begin(), row.end(), [&](size_t a, size_t b) {
                return std::pair(double(slots_[a].side), key[a]) < std::pair(double(slots_[b].side), key[b]);
            });
            for (size_t i = 0; i < row.size(); ++i) slots_[row[i]].x = double(i) - double(row.size()) / 2;
        };
        for (int sweep = 0; sweep < sweeps; ++sweep) {
            if (sweep % 2 == 0)
                for (size_t r = 1; r < rows_.size(); ++r) sort_row(rows_[r], true);
            else
                for (size_t r = rows_.size() - 1; r-- > 0;) sort_row(rows_[r], false);
        }
    }

    /// Boxes at the sides make room for the boxes between them.
    void push_aside(const std::vector<size_t>& row, std::vector<double>& wanted) const {
        for (size_t i = row.size(); i-- > 1;)
            if (slots_[row[i - 1]].side < 0)
                wanted[i - 1] = std::min(wanted[i - 1], wanted[i] - distance(row[i - 1], row[i]));
        for (size_t i = 1; i < row.size(); ++i)
            if (slots_[row[i]].side > 0) wanted[i] = std::max(wanted[i], wanted[i - 1] + distance(row[i - 1], row[i]));
    }

    /// Places boxes side by side in the row's order, each as near to its wanted place as its neighbors allow.
    void spread(std::vector<size_t>& row, const std::vector<double>& wanted) {
        std::vector<double> left(row.size()), right(row.size());
        for (size_t i = 0; i < row.size(); ++i) {
            left[i] = wanted[i];
            if (i) left[i] = std::max(left[i], left[i - 1] + distance(row[i - 1], row[i]));
        }
        for (size_t i = row.size(); i-- > 0;) {
            right[i] = wanted[i];
            if (i + 1 < row.size()) right[i] = std::min(right[i], right[i + 1] - distance(row[i], row[i + 1]));
        }
        for (size_t i = 0; i < row.size(); ++i) slots_[row[i]].x = (left[i] + right[i]) / 2;
        for (size_t i = 1; i < row.size(); ++i) // the mean of two legal rows is legal, except for rounding
            slots_[row[i]].x = std::max(slots_[row[i]].x, slots_[row[i - 1]].x + distance(row[i - 1], row[i]));
    }

    double distance(size_t a, size_t b) const { return (slots_[a].width + slots_[b].width) / 2 + gap; }

    void place() {
        for (auto& row : rows_) {
            double x = 0;
            for (size_t i = 0; i < row.size(); ++i) {
                if (i) x += distance(row[i - 1], row[i]);
                slots_[row[i]].x = x;
            }
            for (size_t slot : row) slots_[slot].x -= x / 2;
        }
        for (int sweep = 0; sweep < sweeps; ++sweep)
            for (size_t i = 0; i < rows_.size(); ++i) {
                auto& row = rows_[sweep % 2 ? rows_.size() - 1 - i : i];
                std::vector<double> wanted;
                for (size_t slot : row) {
                    std::vector<size_t> both = slots_[slot].above;
                    both.insert(both.end(), slots_[slot].below.begin(), slots_[slot].below.end());
                    wanted.push_back(centre(both, slots_[slot].x));
                }
                push_aside(row, wanted);
                spread(row, wanted);
            }
        double least = 0, most = 0;
        for (const Slot& slot : slots_) {
            least = std::min(least, slot.x - slot.width / 2);
            most = std::max(most, slot.x + slot.width / 2);
        }
        for (Slot& slot : slots_) slot.x -= least;
        width_ = most - least;
    }

    LayeredDrawing& drawing_;
    Lane lane_;
    bool upwards_;
    std::vector<int> rank_;
    int highest_ = 0;
    std::vector<Slot> slots_;
    std::vector<std::vector<size_t>> rows_;
    std::vector<std::pair<size_t, std::vector<size_t>>> paths_; // edge -> slots
    double width_ = 0;
};

/// Stacks updates in order of the heights of their inputs, each with its old value on its left.
void stack_updates(LayeredDrawing& drawing, double left, double top) {
    auto& boxes = drawing.boxes;
    std::vector<bool> placed_beside(boxes.size(), false);
    double column = 0; // of old values
    for (const LayeredBox& box : boxes)
        if (box.lane == Lane::update && box.beside != LayeredBox::none) {
            placed_beside[box.beside] = true;
            column = std::max(column, boxes[box.beside].width + gap);
        }
    std::vector<std::pair<double, size_t>> order;
    for (size_t i = 0; i < boxes.size(); ++i) {
        if (boxes[i].lane != Lane::update || placed_beside[i]) continue;
        double sum = 0, count = 0;
        for (const LayeredEdge& edge : drawing.edges)
            if (edge.to == i && boxes[edge.from].lane == Lane::backward) sum += boxes[edge.from].y, ++count;
        double wanted = count > 0 ? sum / count : top;
        for (const auto& [height, box] : order)
            if (count == 0 && box == boxes[i].after) wanted = height;
        order.push_back({wanted, i});
    }
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    double next = top, right = left;
    for (const auto& [wanted, i] : order) {
        LayeredBox& box = boxes[i];
        box.x = left + column;
        box.y = next;
        if (box.beside != LayeredBox::none) {
            LayeredBox& old = boxes[box.beside];
            old.x = left + column - gap - old.width;
            old.y = next;
        }
        next += box.height + gap;
        right = std::max(right, box.x + box.width);
    }
    if (!order.empty()) drawing.width = std::max(drawing.width, right + margin);
    drawing.height = std::max(drawing.height, next + margin);
}

} // namespace

void lay_out(LayeredDrawing& drawing) {
    for (LayeredEdge& edge : drawing.edges) {
        edge.bends.clear();
        edge.across = drawing.boxes[edge.from].lane != drawing.boxes[edge.to].lane;
    }
    LaneLayout forward(drawing, Lane::forward, false), backward(drawing, Lane::backward, true);
    int rows = std::max(forward.rows(), backward.rows());
    std::vector<double> heights(size_t(rows), 0);
    auto note = [&](const std::vector<double>& own) { // the last rows are level: the loss and the first adjoint
        size_t first = heights.size() - own.size();
        for (size_t i = 0; i < own.size(); ++i) heights[first + i] = std::max(heights[first + i], own[i]);
    };
    note(forward.heights());
    note(backward.heights());
    const double top = margin + 30;
    std::vector<double> middle;
    double y = top;
    for (double height : heights) {
        middle.push_back(y + height / 2);
        y += height + row_gap;
    }
    drawing.height = y + margin;
    drawing.lane_left[0] = margin;
    drawing.lane_left[1] = margin + forward.width() + lane_gap;
    drawing.lane_left[2] = drawing.lane_left[1] + backward.width() + lane_gap;
    drawing.width = drawing.lane_left[1] + backward.width() + margin;
    forward.write(drawing.lane_left[0], middle, rows - forward.rows());
    backward.write(drawing.lane_left[1], middle, rows - backward.rows());
    stack_updates(drawing, drawing.lane_left[2], top);
}

} // namespace gradc
