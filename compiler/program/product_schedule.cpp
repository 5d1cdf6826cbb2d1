// Tiles by a small model of the cost of one step of the reduction: multiplications, loads, or the latency of an
// accumulator, whichever is longest; summed over all tiles of the result with their remainders.
#include "compiler/plan/operands.h"
#include "compiler/program/product.h"
#include <algorithm>
#include <limits>

namespace gradc {

namespace {

bool has(const std::vector<int>& labels, int label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }

int64_t sized(int64_t size, int64_t batch) { return size == rows ? batch : size; }

/// Loads that are not quite hidden: spreading a scalar for each row, lines of the vector operand from L2.
double step_cost(double tile_rows, double vectors) {
    double multiplications = tile_rows * vectors / 2, loads = (tile_rows + vectors) / 2, latency = 4;
    return std::max({multiplications, loads, latency}) + 0.25 * tile_rows + 0.3 * vectors;
}

double tiles_cost(int64_t row_count, int64_t vector_count, int tile_rows, int tile_vectors) {
    double cost = 0;
    for (int64_t v = 0; v < vector_count;) {
        int64_t wide = std::min<int64_t>(tile_vectors, vector_count - v);
        int64_t panels = wide == tile_vectors ? (vector_count - v) / tile_vectors : 1;
        double panel = double(row_count / tile_rows) * step_cost(tile_rows, double(wide));
        int64_t rest = row_count % tile_rows;
        panel += double(rest / 4) * step_cost(4, double(wide)) + double(rest % 4) * step_cost(1, double(wide));
        cost += double(panels) * panel;
        v += panels * wide;
    }
    return cost;
}

void choose_tile(ProductSchedule& schedule, int64_t row_count, int64_t vector_count, int64_t panel,
                 const Machine& machine) {
    double best = std::numeric_limits<double>::infinity();
    int spare = machine.fused ? 1 : 2;
    for (int vectors = 4; vectors >= 1; --vectors) {
        if (panel % vectors != 0) continue;
        for (int tile_rows = 14; tile_rows >= 1; --tile_rows) {
            if (tile_rows * vectors + vectors + spare >= machine.registers) continue;
            if (row_count > 24 && 24 % tile_rows != 0) continue;
            double cost = tiles_cost(row_count, vector_count, tile_rows, vectors);
            if (cost >= best * 0.999) continue;
            best = cost;
            schedule.tile_rows = tile_rows;
            schedule.tile_vectors = vectors;
        }
    }
}

} // namespace

ProductSchedule schedule_product(const Graph& graph, NodeId contraction, int64_t batch, int lanes,
                                 int64_t panel, const Machine& machine) {
    const Node& node = graph[contraction];
    const Contract& labels = attribute<Contract>(node);
    const Shape& shape = node.type.shape;
    ProductSchedule schedule;
    for (int i = int(shape.size()); i-- > 0 && schedule.column < 0;)
        if (sized(shape[size_t(i)], batch) > 1) schedule.column = i;
    if (schedule.column < 0) return schedule;
    int column_label = labels.out[size_t(schedule.column)];
    bool in_left = has(labels.left, column_label), in_right = has(labels.right, column_label);
    for (int i = int(shape.size()); i-- > 0;) {
        int label = labels.out[size_t(i)];
        if (i == schedule.column || sized(shape[size_t(i)], batch) == 1) continue;
        bool shares = has(in_left ? labels.left : labels.right, label) && (!in_left || !in_right);
        if (!shares && (schedule.row < 0 || sized(shape[size_t(i)], batch) > sized(shape[size_t(schedule.row)], batch)))
            schedule.row = i;
        schedule.part = i;
    }
    if (schedule.part < 0) schedule.part = schedule.column;
    if (schedule.part == schedule.column) schedule.block = 64;
    if (schedule.part == schedule.row) schedule.block = 24;
    int64_t row_count = schedule.row < 0 ? 1 : sized(shape[size_t(schedule.row)], batch);
    int64_t vectors = (sized(shape[size_t(schedule.column)], batch) + lanes - 1) / lanes;
    choose_tile(schedule, row_count, vectors, panel / lanes, machine);
    return schedule;
}

} // namespace gradc
