// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a contraction is cut: which axis of the result runs by vectors, which by rows of a tile, and how large a tile is.
#pragma once
#include "compiler/program/product/cost.h"
#include "compiler/program/values.h"

namespace gradc {

/// Axes of the result, in the order of their loops.
struct ProductSchedule {
    int column = -1; // axis by vectors; -1: none
    int row = -1;    // axis of the tile's rows; -1: none
    int part = -1;   // axis that calls share out; -1: none
    ProductTile tile;
    bool ask_for_columns = false; // of the vector operand, some steps early: its panel overflows the first cache
    bool ask_for_panel = false;   // of the vector operand, the next one, while tiles pass over this one
    bool ask_for_rows = false;    // of the other one, whose rows lie far apart from step to step
    int64_t group = 0;            // tiles of rows that all panels process before the next ones; 0: all
    int64_t block = 0; // steps of the reduction that all rows of a group take before the next ones; 0: the whole depth
    size_t block_axis = 0; // the reduced axis that blocks cut; they hold those behind it whole
    EvenSplit rows;        // of the row axis, N counting as the largest batch
    ColumnSplit columns;   // of the column axis
};

/// The schedule of a product's kernel: `around.tile` where that is possible, else the cheapest.
ProductSchedule schedule_product(const FusedKernel&, const Surroundings& around, int lanes);
/// The same as input of the cost model.
ProductShape product_shape(const FusedKernel&, const Surroundings& around, const ProductSchedule&, int lanes);

} // namespace gradc
