// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cost of a product for a choice of tiles: the model by which schedules are chosen. README.md describes it;
// `tests/performance/products.sh` compares it with measured times.
#pragma once
#include "compiler/program/machine.h"

namespace gradc {

/// Accumulators that stay in registers while a reduction runs: rows by vectors.
struct ProductTile {
    int rows = 1, vectors = 1;
    friend bool operator==(const ProductTile&, const ProductTile&) = default;
};

/// `size` in `parts` parts: the first `long_parts` of `longer`, the others one shorter.
struct EvenSplit {
    int64_t parts = 1, long_parts = 1, longer = 1;
    int64_t shorter() const { return longer - 1; }
    int64_t begin(int64_t part) const { return part * longer - (part > long_parts ? part - long_parts : 0); }
};
/// The fewest parts of at most `most`, as even as they can be.
EvenSplit split_evenly(int64_t size, int64_t most);

/// A line of vectors: `wide_count` tiles of `wide` vectors, then `narrow_count` of `narrow`.
struct ColumnSplit {
    int wide = 1, narrow = 0;
    int64_t wide_count = 1, narrow_count = 0;
    int64_t tiles() const { return wide_count + narrow_count; }
};
/// Equal tiles if nothing is stored in panels. Otherwise no tile crosses the end of a panel, and the last one is
/// narrower.
ColumnSplit split_columns(int64_t vectors, int tile_vectors, bool panels);

struct ProductShape { // `copies` products of [rows, depth] by [depth, columns]
    int64_t rows = 1, columns = 1, depth = 1, copies = 1;
    int64_t panel_vectors = 0;    // width of the panels; 0: no panels
    bool left_transposed = false; // the tile's rows lie side by side, the reduction goes from row to row
    int lanes = 1;
};

/// The search space: tiles whose accumulators, operands and spare registers fit, and that cut panels evenly.
std::vector<ProductTile> product_tiles(const Machine&, int64_t panel_vectors);

/// Cycles by the model; ideal: cycles of the multiplications alone.
double product_cycles(const ProductShape&, ProductTile, const Machine&);
double ideal_cycles(const ProductShape&, const Machine&);

/// The cheapest; of tiles that tie, the one with the most accumulators.
ProductTile cheapest_tile(const ProductShape&, const Machine&);

} // namespace gradc
