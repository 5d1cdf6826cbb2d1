// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A step of a tile's reduction takes the longest of its multiplications, its loads and the latency of its sums, plus
// the part of the loads that is not hidden. The end of the tile is added.
#include "compiler/program/product/cost.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace gradc {

namespace {

constexpr int most_rows = 28;      // of a tile
constexpr double tile_start = 12;  // cycles until a tile's first sums are under way and after its last
constexpr double vector_end = 1.5; // cycles to finish one vector
constexpr double line_end = 3;     // cycles to store to one line

} // namespace

EvenSplit split_evenly(int64_t size, int64_t most) {
    int64_t parts = std::max<int64_t>(1, (size + most - 1) / most), longer = (size + parts - 1) / parts;
    return {parts, parts - (parts * longer - size), longer};
}

ColumnSplit split_columns(int64_t vectors, int tile_vectors, bool panels) {
    if (panels) {
        int rest = int(vectors % tile_vectors);
        if (vectors < tile_vectors) return {rest, 0, 1, 0};
        return {tile_vectors, rest, vectors / tile_vectors, rest ? 1 : 0};
    }
    EvenSplit even = split_evenly(vectors, tile_vectors);
    int64_t narrow = even.parts - even.long_parts;
    return {int(even.longer), narrow ? int(even.shorter()) : 0, even.long_parts, narrow};
}

std::vector<ProductTile> product_tiles(const Machine& machine, int64_t panel_vectors) {
    std::vector<ProductTile> result;
    for (int vectors = 4; vectors >= 1; --vectors)
        for (int rows = most_rows; rows >= 1; --rows) {
            bool fits = rows * vectors + vectors + machine.spare <= machine.registers;
            if (fits && panel_vectors % vectors == 0) result.push_back({rows, vectors});
        }
    return result;
}

namespace {

/// Cycles of one tile: its whole depth, start and end.
double tile_cycles(const ProductShape& shape, int rows, int vectors, const Machine& machine) {
    double multiplications = rows * vectors / machine.multiplications, loads = (rows + vectors) / machine.loads;
    double step = std::max({multiplications, loads, machine.latency});
    double panel_bytes = double(shape.depth) * vectors * machine.vector_bytes,
           lines = vectors * machine.vector_bytes / 64.0;
    double left_bytes = double(shape.depth) * rows * machine.vector_bytes / shape.lanes;
    step += (panel_bytes + left_bytes > double(machine.near_bytes) ? machine.far_line : machine.line) * lines;
    step += shape.left_transposed ? machine.far_spread * rows + machine.far_line : machine.spread * rows;
    return double(shape.depth) * step + tile_start + rows * (vector_end * vectors + line_end * std::ceil(lines));
}

} // namespace

double product_cycles(const ProductShape& shape, ProductTile tile, const Machine& machine) {
    EvenSplit rows = split_evenly(shape.rows, tile.rows);
    ColumnSplit columns =
        split_columns((shape.columns + shape.lanes - 1) / shape.lanes, tile.vectors, shape.panel_vectors > 0);
    double cycles = 0;
    for (auto [vectors, tiles] :
         {std::pair(columns.wide, columns.wide_count), {columns.narrow, columns.narrow_count}}) {
        if (tiles == 0) continue;
        double line = double(rows.long_parts) * tile_cycles(shape, int(rows.longer), vectors, machine);
        if (rows.long_parts < rows.parts)
            line += double(rows.parts - rows.long_parts) * tile_cycles(shape, int(rows.shorter()), vectors, machine);
        cycles += double(tiles) * line;
    }
    return double(shape.copies) * cycles;
}

double ideal_cycles(const ProductShape& shape, const Machine& machine) {
    return double(shape.copies) * double(shape.rows) * double(shape.columns) * double(shape.depth) /
           (machine.multiplications * shape.lanes);
}

ProductTile cheapest_tile(const ProductShape& shape, const Machine& machine) {
    ProductTile best;
    double least = std::numeric_limits<double>::infinity();
    for (ProductTile tile : product_tiles(machine, shape.panel_vectors)) {
        double cycles = product_cycles(shape, tile, machine);
        bool tie = cycles < 1.001 * least && tile.rows * tile.vectors > best.rows * best.vectors;
        if (cycles >= 0.999 * least && !tie) continue;
        least = std::min(least, cycles);
        best = tile;
    }
    return best;
}

} // namespace gradc
