// How a contraction is cut: which axis of the result runs by vectors, which by rows of a tile, and how large a tile is.
#pragma once
#include "compiler/graph/graph.h"
#include "compiler/program/machine.h"

namespace gradc {

/// Axes of the result, in the order of their loops. `rows` accumulators by `vectors` stay in registers while the
/// reduction runs.
struct ProductSchedule {
    int column = -1; // axis by vectors; -1: none
    int row = -1;    // axis of the tile's rows; -1: none
    int part = -1;   // axis that calls share out; -1: none
    int tile_rows = 1, tile_vectors = 1;
    int64_t block = 1; // elements of `part` to an item of the extent
};

/// `panel`: width of what lies in panels; a tile never crosses it. 0: nothing does.
ProductSchedule schedule_product(const Graph&, NodeId contraction, int64_t batch, int lanes, int64_t panel,
                                 const Machine&);

} // namespace gradc
