// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loops of a contraction's kernel: columns outermost, so that the vector operand's panel stays in cache while rows
// stream; inside, tiles whose sums stay in registers while the reduction runs over its whole length, or over a block of
// it.
#pragma once
#include "compiler/program/loops.h"
#include "compiler/program/nest.h"
#include "compiler/program/product/product.h"
#include <functional>

namespace gradc {

/// Lowers one product with a given schedule.
class Product {
public:
    explicit Product(const KernelTask& task)
        : task_(task), graph_(task.around.program.flat.graph), batch_(task.around.plan.batch), updated_(updates()),
          indices_(batch_), emit_(task.kernel, written()), values_(emit_, task.around, indices_, task.lanes),
          node_(task.plan.stages.at(0).members.at(0).node), shape_(graph_.type(node_).shape),
          schedule_(schedule_product(task.plan, task.around, task.lanes)) {}

    void run() {
        loop::Kernel& kernel = task_.kernel;
        if (schedule_.part < 0) {
            kernel.grain = 0;
        } else {
            kernel.extent = extent();
        }
        point_.resize(shape_.size());
        if (schedule_.block) make_block();
        outer(order());
        emit_.finish();
    }

private:
    struct Body {
        int rows, vectors;
        bool masked; // the last vector
    };
    // product.cpp: the loops around a tile
    /// Buffers that the kernel writes, the one that it may make included.
    std::set<loop::BufferId> written() const;
    loop::BufferId next_local() const { return loop::BufferId(task_.around.plan.buffers.size() + task_.locals.size()); }
    void make_block();
    /// An item is a tile's rows, or its columns where there are no rows; else one iteration of an outer axis.
    loop::Extent extent() const;
    /// Batch axes first, then columns, then the other axes, then rows of tiles.
    std::vector<int> order() const;
    bool shared(int axis) const;
    void outer(std::vector<int> axes);
    Axis axis_of(int axis);
    int64_t extent_of_axis(int axis) const;
    /// Items that are tiles of rows: all or, where calls share them out, those of this call.
    std::pair<loop::ValueId, loop::ValueId> own_tiles();
    void groups(const std::vector<int>& inside);
    void columns(const std::vector<int>& inside);
    /// `count` tiles of columns; the first has the number `before` and begins at column `first`.
    void panels(int vectors, int64_t count, int64_t before, int64_t first, bool masked);
    /// Columns whose number is known at run time only: vector by vector, always masked.
    void column_vectors();
    /// Columns begin + lane, in a number of vectors; `begin` is a multiple of the lanes, and panels are never crossed.
    void panel(const Index& begin, int vectors, bool masked);
    void rows_of_tiles();
    /// The depth in blocks; sums wait in local memory from block to block, beside a copy of the panel's block.
    void blocks();
    loop::ValueId row_of(loop::ValueId item); // its first
    void copy_panel();
    /// Opens the loops over a block's steps and returns where the copy of the panel has the step.
    loop::Affine open_block(Position& reduced, Carries& sums);
    void close_block(Carries& sums);
    size_t innermost_of_block() const;
    /// Items begin to end: those before `long_parts` are tiles of `longer` rows, the others of one less.
    /// `note` is called with each bound and a name for it.
    void even_tiles(loop::ValueId begin, loop::ValueId end, loop::ValueId long_parts, const EvenSplit& split,
                    const std::function<void(loop::ValueId, const char*)>& note = {});
    /// Rows counted at run time, in items of `longer`, which are tiles of `longer` rows and of one less where that
    /// comes out even, as it does for the largest batch; else whole tiles, and the rest by few rows.
    void counted_rows(loop::ValueId begin, loop::ValueId end, const EvenSplit& split);
    /// Runs tiles of this many rows while they fit. Returns the first remaining row.
    loop::ValueId whole_tiles(loop::ValueId begin, loop::ValueId end, int tile_rows);
    void tiles(loop::ValueId begin, loop::ValueId end, int tile_rows);

    // product_tile.cpp
    Position at(int row, int vector);
    void mask_vector(const Body& tile, int vector);
    void tile(const Body& tile);
    void end_of_tile(const Body& tile, const Carries& sums);
    /// One block's steps, on sums from local memory and back.
    void tile_in_block(const Body& tile);
    /// Where the sums of row `row` + `more_rows` lie; `first_row`: of the group, absent where `row` counts from it.
    loop::Affine place_of_sums(loop::ValueId row, loop::ValueId first_row, int more_rows, int vector);
    int64_t block_width() const { return schedule_.tile.vectors * values_.lanes(); }
    Carries sums_so_far(const Body& tile);
    /// Runs the reduction's loops over the tile's sums.
    void reduce(const Body& tile, Carries& sums);
    /// Returns the counter.
    loop::ValueId open_steps(loop::ValueId begin, loop::ValueId end, int64_t size, Index& reduced, Carries& sums);
    /// Prefetches the variables that the tile will update, or the next panel, while the reduction runs: a line (of each
    /// variable) every few steps, since all at once would delay the operands. Returns the first step that remains.
    loop::ValueId reduce_and_prefetch(const Body& tile, int64_t size, size_t axis, int64_t lines, Carries& sums);
    int64_t lines_to_prefetch(const Body& tile, int64_t depth) const;
    void prefetch_next_panel(const Body& tile, loop::ValueId line, int64_t lines, size_t axis, Position reduced);
    loop::ValueId count_of(int64_t size);
    /// Row by row, so that only one spread scalar is live at a time.
    void step(const Body& tile, const Position& reduced, Carries& sums);
    /// Prefetches the operands of a later step.
    void prefetch_operands(const Body& tile, const Position& reduced, size_t innermost);
    void prefetch_columns(int vectors, Position reduced, size_t innermost);
    void prefetch_rows(int tile_rows, Position reduced, size_t innermost);
    int line_elements() const { return int(64 / bytes(graph_.type(node_).dtype)); } // of a cache line
    void prefetch_factor(const Position& at, const Position& reduced, bool by_vectors);
    /// Prefetches the lines of the variables that the tile will update.
    void prefetch_updates(const Body& tile);
    /// The same for one vector of each variable: number `line` in the order of the updates.
    void prefetch_updates(const Body& tile, const Index& line);
    void prefetch_updates(const Position& position);
    /// Stores the finished sums and the members that are computed from them.
    void finish(const Position& at, loop::ValueId sum);
    /// Where the kernel's members update variables.
    std::vector<std::pair<const Member*, const Storage*>> updates() const;

    const KernelTask& task_;
    const Graph& graph_;
    int64_t batch_;
    std::vector<std::pair<const Member*, const Storage*>> updated_;
    Indices indices_;
    Emitter emit_;
    Values values_;
    NodeId node_;
    Shape shape_;
    ProductSchedule schedule_;
    Position point_;
    std::vector<int> inside_; // axes inside the columns' loop
    int tile_vectors_ = 1;
    bool masked_ = false;
    loop::ValueId tile_row_ = loop::no_value;                                 // the tile's first
    loop::ValueId group_begin_ = loop::no_value, group_end_ = loop::no_value; // tiles of rows
    struct Block {                                                            // of the depth
        enum class Pass { none, sums, end } pass = Pass::none;
        loop::ValueId begin = loop::no_value, end = loop::no_value, first_row = loop::no_value;
        Position outside;          // of the reduced axes before the one that blocks cut
        loop::BufferId memory = 0; // the panel's block, then the sums of the group's rows
    } block_;
    loop::ValueId last_lanes_ = loop::no_value; // of the masked vector
};

} // namespace gradc
