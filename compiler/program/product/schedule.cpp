// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The axes of a product's loops: columns by vectors along the last axis, rows along the longest that does not run over
// the same operand; and the cheapest tile for them.
#include "compiler/plan/operands.h"
#include "compiler/program/product/product.h"
#include <algorithm>
#include <numeric>

namespace gradc {

namespace {

bool has(const std::vector<int>& labels, int label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
}

int64_t sized(int64_t size, int64_t batch) { return size == rows ? batch : size; }

NodeId contraction(const FusedKernel& kernel) { return kernel.stages.at(0).members.at(0).node; }

/// Width of the panels that the kernel reads or writes; 0: none.
int64_t panel_width(const FusedKernel& kernel, const ProgramPlan& program) {
    int64_t width = 0;
    auto note = [&](const std::optional<Storage>& place) {
        if (place && place->panel) width = std::gcd(width, place->panel);
    };
    for (const Member& member : kernel.stages[0].members) {
        for (const Storage& place : member.stores) note(place);
        for (NodeId input : program.flat.graph[member.node].inputs) note(program.places[index(input)]);
    }
    return width;
}

void choose_axes(ProductSchedule& schedule, const Node& node, int64_t batch) {
    const Contract& labels = attribute<Contract>(node);
    const Shape& shape = node.type.shape;
    for (int i = int(shape.size()); i-- > 0 && schedule.column < 0;)
        if (sized(shape[size_t(i)], batch) > 1) schedule.column = i;
    if (schedule.column < 0) return;
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
}

/// A thread that takes some of the columns reads its part of the right operand and all of the left one; with some of
/// the rows it is the other way round. The larger operand should be read once where it lies beyond the nearest caches,
/// if its tiles share out evenly.
bool shares_columns(const ProductShape& shape, const ColumnSplit& columns) {
    constexpr int64_t near = 64 * 1024; // elements
    int64_t tiles = columns.tiles();
    bool even = tiles >= 8 || (tiles >= 2 && tiles % 2 == 0);
    return even && shape.columns > shape.rows && shape.columns * shape.depth >= near;
}

/// The rows of a group lie in the second cache while panel after panel passes over them.
int64_t grouped_tiles(const ProductShape& shape, const ProductSchedule& schedule, const Machine& machine) {
    int64_t tile_bytes = shape.depth * schedule.rows.longer * machine.vector_bytes / shape.lanes;
    int64_t most = std::max<int64_t>(1, machine.far_bytes / tile_bytes);
    if (schedule.row < 0 || schedule.rows.parts <= most || schedule.columns.tiles() == 1) return 0;
    return split_evenly(schedule.rows.parts, most).longer;
}

constexpr int64_t rows_of_block = 256; // whose sums wait in memory while the panel's block is in the first cache

/// Steps of the reduction whose part of the panel, beside a line of the other operand each, the first cache holds. For
/// A'B of great depth, where each step reads both operands from another page: the panel's part is copied, and the pages
/// of the other operand's part stay known.
void choose_block(const FusedKernel& kernel, const Surroundings& around, const ProductShape& shape,
                  ProductSchedule& schedule) {
    const Graph& graph = around.program.flat.graph;
    NodeId id = contraction(kernel);
    const Shape& sizes = graph.type(id).shape;
    const Contract& labels = attribute<Contract>(graph[id]);
    int column = labels.out[size_t(schedule.column)];
    bool one_by_vectors = has(labels.left, column) != has(labels.right, column);
    bool counted = schedule.row < 0 || sizes[size_t(schedule.row)] == rows || sizes[size_t(schedule.column)] == rows;
    bool plain = one_by_vectors && !counted && sizes.size() == 2;
    if (!plain || !shape.left_transposed || shape.rows < 64 || shape.depth < 1000) return;
    int64_t step_bytes = schedule.tile.vectors * around.machine.vector_bytes + 64;
    int64_t steps = around.machine.near_bytes / step_bytes;
    Shape reduced = reduced_sizes(graph, id);
    int64_t inside = 1, length = 1; // steps of the axes behind the one that is cut
    for (size_t i = reduced.size(); i-- > 0 && inside <= steps; inside *= length) {
        length = sized(reduced[i], around.plan.batch);
        if (length == 1) continue;
        schedule.block_axis = i;
        schedule.block = inside * split_evenly(length, std::max<int64_t>(1, steps / inside)).longer;
    }
}

} // namespace

ProductShape product_shape(const FusedKernel& kernel, const Surroundings& around, const ProductSchedule& schedule,
                           int lanes) {
    const Graph& graph = around.program.flat.graph;
    NodeId id = contraction(kernel);
    const Contract& labels = attribute<Contract>(graph[id]);
    const Shape& sizes = graph.type(id).shape;
    int64_t batch = around.plan.batch;
    auto size = [&](int axis) { return axis < 0 ? 1 : sized(sizes[size_t(axis)], batch); };
    ProductShape shape;
    shape.lanes = schedule.column < 0 ? 1 : lanes;
    shape.rows = size(schedule.row);
    shape.columns = size(schedule.column);
    shape.copies = count(sizes, batch) / (shape.rows * shape.columns);
    shape.depth = count(reduced_sizes(graph, id), batch);
    shape.panel_vectors = panel_width(kernel, around.program) / lanes;
    // Columns counted at run time go vector by vector.
    if (schedule.column >= 0 && sizes[size_t(schedule.column)] == rows) shape.panel_vectors = 1;
    if (schedule.row < 0) return shape;
    int label = labels.out[size_t(schedule.row)];
    const std::vector<int>& own = has(labels.left, label) ? labels.left : labels.right;
    shape.left_transposed = !own.empty() && own.back() == label;
    return shape;
}

ProductSchedule schedule_product(const FusedKernel& kernel, const Surroundings& around, int lanes) {
    ProductSchedule schedule;
    choose_axes(schedule, around.program.flat.graph[contraction(kernel)], around.plan.batch);
    if (schedule.column < 0) return schedule;
    ProductShape shape = product_shape(kernel, around, schedule, lanes);
    std::vector<ProductTile> possible = product_tiles(around.machine, shape.panel_vectors);
    bool asked = around.tile && std::find(possible.begin(), possible.end(), *around.tile) != possible.end();
    schedule.tile = asked ? *around.tile : cheapest_tile(shape, around.machine);
    int64_t panel_bytes = shape.depth * schedule.tile.vectors * around.machine.vector_bytes;
    schedule.ask_for_columns = panel_bytes > around.machine.near_bytes;
    schedule.ask_for_rows = shape.left_transposed && shape.depth >= 32 && shape.rows >= 128;
    schedule.rows = split_evenly(shape.rows, schedule.tile.rows);
    schedule.columns =
        split_columns((shape.columns + lanes - 1) / lanes, schedule.tile.vectors, shape.panel_vectors > 0);
    schedule.group = grouped_tiles(shape, schedule, around.machine);
    choose_block(kernel, around, shape, schedule);
    if (schedule.block)
        schedule.group =
            split_evenly(schedule.rows.parts, std::max<int64_t>(1, rows_of_block / schedule.rows.longer)).longer;
    schedule.ask_for_panel = schedule.ask_for_columns && schedule.columns.wide_count > 1 && schedule.rows.parts >= 4;
    bool known = around.program.flat.graph.type(contraction(kernel)).shape[size_t(schedule.column)] != rows;
    if (known && schedule.part == schedule.row && shares_columns(shape, schedule.columns))
        schedule.part = schedule.column;
    return schedule;
}

} // namespace gradc
