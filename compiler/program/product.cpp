// A contraction by tiles: the accumulators of tile_rows x tile_vectors stay in registers while the reduction runs over its
// whole length; then what rides on the result is computed from them and stored. Columns outermost, so that the vector
// operand's panel stays in cache while rows stream.
#include "compiler/program/product.h"
#include "compiler/program/branches.h"
#include "compiler/program/loops.h"
#include "compiler/program/nest.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <numeric>

namespace gradc {

using loop::no_value;
using loop::Operation;
using loop::ValueId;

namespace {

/// Row counts of the tiles for what a number of rows known only at run time leaves over.
constexpr int rest_rows[] = {4, 1};
/// Steps of the reduction from asking for an operand's line to its use: longer than the second cache takes.
constexpr int64_t steps_ahead = 12;
/// Most steps of the reduction from asking for one line of what the tile updates to asking for the next.
constexpr int64_t most_between = 5;

class Product {
  public:
    explicit Product(const KernelTask& task)
        : task_(task), graph_(task.around.program.flat.graph), batch_(task.around.plan.batch), updated_(updates()),
          indices_(batch_),
          emit_(task.kernel, written_buffers(task.plan)), values_(emit_, task.around, indices_, task.lanes),
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
        outer(order());
        emit_.finish();
    }

  private:
    struct Body {
        int rows, vectors;
        bool masked; // the last vector
    };

    /// An item is a tile's rows, or its columns where there are no rows; else one turn of an outer axis.
    loop::Extent extent() const {
        int64_t size = shape_[size_t(schedule_.part)];
        if (schedule_.part == schedule_.row)
            return size == rows ? loop::Extent{0, 1, schedule_.rows.longer} : loop::Extent{schedule_.rows.parts, 0, 1};
        if (schedule_.part != schedule_.column) return extent_of(size, 1);
        return size == rows ? extent_of(size, values_.lanes()) : loop::Extent{schedule_.columns.tiles(), 0, 1};
    }

    /// Batch axes first, then columns, then the other axes, then rows of tiles.
    std::vector<int> order() const {
        std::vector<int> result;
        for (int i = 0; i < int(shape_.size()); ++i)
            if (i != schedule_.column && i != schedule_.row && shared(i)) result.push_back(i);
        if (schedule_.column >= 0) result.push_back(schedule_.column);
        for (int i = 0; i < int(shape_.size()); ++i)
            if (i != schedule_.column && i != schedule_.row && !shared(i)) result.push_back(i);
        if (schedule_.row >= 0) result.push_back(schedule_.row);
        return result;
    }
    bool shared(int axis) const {
        const Contract& labels = attribute<Contract>(graph_[node_]);
        auto in = [&](const std::vector<int>& list) {
            return std::find(list.begin(), list.end(), labels.out[size_t(axis)]) != list.end();
        };
        return in(labels.left) && in(labels.right);
    }

    void outer(std::vector<int> axes) {
        if (axes.empty()) return tile({1, tile_vectors_, masked_});
        int axis = axes[0];
        axes.erase(axes.begin());
        if (axis == schedule_.column) return schedule_.group ? groups(axes) : columns(axes);
        if (axis == schedule_.row) return rows_of_tiles();
        Axis loop = axis_of(axis);
        run_axis(values_, indices_, loop, batch_, {}, [&](const Index& index, const Carries&) -> Carries {
            point_[size_t(axis)] = index;
            outer(axes);
            return {};
        });
    }

    Axis axis_of(int axis) {
        Axis result{shape_[size_t(axis)], 1, false, shape_[size_t(axis)] == rows ? "n" : std::string(1, char("ijklpqrs"[axis % 8]))};
        if (axis == schedule_.part) take_part(values_, result, axis == schedule_.column ? values_.lanes() : 1);
        return result;
    }

    int64_t extent_of_axis(int axis) const {
        return shape_[size_t(axis)] == rows ? batch_ : shape_[size_t(axis)];
    }

    /// Items that are tiles of rows: all or, where calls share them out, those of this call.
    std::pair<ValueId, ValueId> own_tiles() {
        const loop::ValueType whole{Element::i64, 1};
        if (schedule_.part == schedule_.row)
            return {emit_.define(Operation::range_begin, whole), emit_.define(Operation::range_end, whole)};
        if (shape_[size_t(schedule_.row)] != rows) return {emit_.whole(0), emit_.whole(schedule_.rows.parts)};
        ValueId padded = emit_.apply(Operation::add, {emit_.define(Operation::row_count, whole), emit_.whole(schedule_.rows.longer - 1)});
        return {emit_.whole(0), emit_.apply(Operation::quotient, {padded, emit_.whole(schedule_.rows.longer)})};
    }

    void groups(const std::vector<int>& inside) {
        auto [begin, end] = own_tiles();
        ValueId size = emit_.whole(schedule_.group);
        ValueId padded = emit_.apply(Operation::add, {end, emit_.whole(schedule_.group - 1)});
        auto [counter, none] = emit_.open_loop(emit_.apply(Operation::quotient, {begin, size}),
                                               emit_.apply(Operation::quotient, {padded, size}), 1, "group");
        ValueId first = emit_.apply(Operation::multiply, {counter, size});
        group_begin_ = emit_.apply(Operation::maximum, {begin, first});
        group_end_ = emit_.apply(Operation::minimum, {end, emit_.apply(Operation::add, {first, size})});
        columns(inside);
        emit_.close_loop();
    }

    void columns(const std::vector<int>& inside) {
        inside_ = inside;
        int64_t size = shape_[size_t(schedule_.column)];
        if (size == rows) return column_vectors();
        const int lanes = values_.lanes();
        ColumnSplit split = schedule_.columns;
        bool masked = size % lanes != 0;
        if (masked && split.narrow_count == 0) split.narrow = split.wide, split.narrow_count = 1, --split.wide_count;
        panels(split.wide, split.wide_count, 0, 0, false);
        panels(split.narrow, split.narrow_count, split.wide_count, split.wide_count * split.wide * lanes, masked);
    }

    /// So many tiles of columns, the first of them number `before`, from column `first` on.
    void panels(int vectors, int64_t count, int64_t before, int64_t first, bool masked) {
        bool shared = schedule_.part == schedule_.column;
        if (count == 0) return;
        if (count == 1 && !shared) return panel(Index{first, {}}, vectors, masked);
        ValueId begin = emit_.whole(0), end = emit_.whole(count);
        if (shared) {
            ValueId none = begin, skipped = emit_.whole(before);
            auto own = [&](Operation bound) {
                return emit_.apply(Operation::subtract, {emit_.define(bound, {Element::i64, 1}), skipped});
            };
            begin = emit_.apply(Operation::maximum, {own(Operation::range_begin), none});
            end = emit_.apply(Operation::minimum, {own(Operation::range_end), end});
        }
        auto [counter, none] = emit_.open_loop(begin, end, 1, "panel");
        Index number = indices_.axis(count);
        values_.bind(number, counter, false);
        panel(indices_.shifted(indices_.scaled(number, vectors * values_.lanes()), first), vectors, masked);
        emit_.close_loop();
    }

    /// Columns whose number is known at run time only: vector by vector, always masked.
    void column_vectors() {
        Axis axis = axis_of(schedule_.column);
        ValueId begin = axis.begin == no_value ? emit_.whole(0) : axis.begin;
        ValueId end = axis.begin != no_value  ? axis.end
                      : axis.size == rows ? emit_.define(Operation::row_count, {Element::i64, 1})
                                          : emit_.whole(axis.size);
        auto [counter, none] = emit_.open_loop(begin, end, values_.lanes(), "column");
        last_lanes_ = emit_.apply(Operation::subtract, {end, counter});
        Index column = indices_.axis(std::max<int64_t>(2, extent_of_axis(schedule_.column)));
        values_.bind(column, counter, true, true);
        point_[size_t(schedule_.column)] = column;
        tile_vectors_ = 1;
        masked_ = true;
        outer(inside_);
        emit_.close_loop();
    }

    /// Columns begin + lane, so many vectors; `begin` is a multiple of the lanes, and panels are never crossed.
    void panel(const Index& begin, int vectors, bool masked) {
        Index lane = indices_.axis(values_.lanes());
        values_.bind(lane, emit_.whole(0), true, true);
        point_[size_t(schedule_.column)] = indices_.sum(begin, lane);
        if (masked) {
            Index last = indices_.shifted(begin, (vectors - 1) * values_.lanes());
            ValueId left = emit_.apply(Operation::subtract,
                                       {emit_.whole(shape_[size_t(schedule_.column)]), values_.scalar(last)});
            last_lanes_ = emit_.apply(Operation::minimum, {left, emit_.whole(values_.lanes())});
        }
        tile_vectors_ = vectors;
        masked_ = masked;
        outer(inside_);
    }

    void rows_of_tiles() {
        const EvenSplit& split = schedule_.rows;
        auto [begin, end] = schedule_.group ? std::pair(group_begin_, group_end_) : own_tiles();
        if (shape_[size_t(schedule_.row)] == rows) return counted_rows(begin, end, split);
        even_tiles(begin, end, emit_.whole(split.long_parts), split);
    }

    /// Items begin to end: those before `long_parts` are tiles of `longer` rows, the others of one less.
    void even_tiles(ValueId begin, ValueId end, ValueId long_parts, const EvenSplit& split) {
        auto first_row = [&](ValueId item, int64_t length) {
            return emit_.apply(Operation::multiply, {item, emit_.whole(length)});
        };
        ValueId long_begin = first_row(emit_.apply(Operation::minimum, {begin, long_parts}), split.longer);
        ValueId long_end = first_row(emit_.apply(Operation::minimum, {end, long_parts}), split.longer);
        tiles(long_begin, long_end, int(split.longer));
        if (split.long_parts == split.parts) return;
        auto short_row = [&](ValueId item) {
            ValueId later = emit_.apply(Operation::maximum, {item, long_parts});
            return emit_.apply(Operation::add, {first_row(later, split.shorter()), long_parts});
        };
        ValueId short_begin = short_row(begin), short_end = short_row(end);
        tiles(short_begin, short_end, int(split.shorter()));
    }

    /// Rows counted at run time, in items of `longer`, which are tiles of `longer` rows and of one less where that comes
    /// out even, as it does for the largest batch; else whole tiles, and the rest by few rows.
    void counted_rows(ValueId begin, ValueId end, const EvenSplit& split) {
        const loop::ValueType whole{Element::i64, 1};
        ValueId count = emit_.define(Operation::row_count, whole), length = emit_.whole(split.longer);
        ValueId padded = emit_.apply(Operation::add, {count, emit_.whole(split.longer - 1)});
        ValueId items = emit_.apply(Operation::quotient, {padded, length});
        if (split.longer == 1) return even_tiles(begin, end, items, split);
        ValueId missing = emit_.apply(Operation::subtract, {emit_.apply(Operation::multiply, {items, length}), count});
        bool two_lengths = split.long_parts < split.parts;
        ValueId even = emit_.compare(Operation::less_equal, missing, two_lengths ? items : emit_.whole(0));
        ValueId long_parts = emit_.define(Operation::select, whole,
                                          {even, emit_.apply(Operation::subtract, {items, missing}),
                                           emit_.apply(Operation::quotient, {count, length})});
        ValueId even_end = emit_.define(Operation::select, whole, {even, end, emit_.apply(Operation::minimum, {end, long_parts})});
        even_tiles(begin, even_end, long_parts, split);
        ValueId rest = emit_.apply(Operation::multiply, {emit_.apply(Operation::maximum, {begin, long_parts}), length});
        ValueId stop = emit_.apply(Operation::minimum, {emit_.apply(Operation::multiply, {end, length}), count});
        stop = emit_.define(Operation::select, whole, {even, rest, stop});
        for (int few : rest_rows)
            if (few < split.longer) rest = whole_tiles(rest, stop, few);
    }

    /// Runs tiles of so many rows while they fit; returns where the rest begins.
    ValueId whole_tiles(ValueId begin, ValueId end, int tile_rows) {
        ValueId stop = end;
        if (tile_rows > 1) {
            ValueId step = emit_.whole(tile_rows), none = emit_.whole(0);
            ValueId length = emit_.apply(Operation::maximum, {emit_.apply(Operation::subtract, {end, begin}), none});
            ValueId fitting = emit_.apply(Operation::multiply, {emit_.apply(Operation::quotient, {length, step}), step});
            stop = emit_.apply(Operation::add, {begin, fitting});
        }
        tiles(begin, stop, tile_rows);
        return stop;
    }

    void tiles(ValueId begin, ValueId end, int tile_rows) {
        auto [counter, none] = emit_.open_loop(begin, end, tile_rows, "row");
        Index row = indices_.axis(extent_of_axis(schedule_.row) - tile_rows + 1);
        values_.bind(row, counter, false);
        point_[size_t(schedule_.row)] = row;
        tile({tile_rows, tile_vectors_, masked_});
        emit_.close_loop();
    }

    Position at(int row, int vector) {
        Position result = point_;
        if (row > 0) result[size_t(schedule_.row)] = indices_.shifted(result[size_t(schedule_.row)], row);
        if (vector > 0) {
            Index& column = result[size_t(schedule_.column)];
            column = indices_.shifted(column, vector * values_.lanes());
        }
        return result;
    }

    void mask_vector(const Body& tile, int vector) {
        if (tile.masked && vector == tile.vectors - 1)
            values_.limit(last_lanes_);
        else
            values_.unlimited();
    }

    void tile(const Body& tile) {
        Element element = graph_.type(node_).element;
        int lanes = schedule_.column < 0 ? 1 : values_.lanes();
        Carries sums;
        for (int i = 0; i < tile.rows * tile.vectors; ++i)
            sums.push_back(emit_.number(0, {register_element(element), lanes}));
        reduce(tile, sums);
        Branches(values_, task_.plan, task_.around.program).run([&] {
            for (int i = 0; i < tile.rows; ++i)
                for (int j = 0; j < tile.vectors; ++j) {
                    mask_vector(tile, j);
                    finish(at(i, j), sums[size_t(i * tile.vectors + j)]);
                }
            values_.unlimited();
        });
    }

    /// Runs the reduction's loops over the tile's sums.
    void reduce(const Body& tile, Carries& sums) {
        Shape sizes = reduced_sizes(graph_, node_);
        std::vector<size_t> axes;
        for (size_t i = 0; i < sizes.size(); ++i)
            if (sizes[i] != 1) axes.push_back(i);
        Position reduced(sizes.size());
        ValueId begin = emit_.whole(0);
        if (axes.size() == 1) begin = reduce_and_prefetch(tile, sizes, axes[0], reduced, sums);
        else prefetch_updates(tile);
        for (size_t axis : axes) {
            auto [counter, inside] = emit_.open_loop(begin, count_of(sizes[axis]), 1, sizes[axis] == rows ? "n" : "k", sums);
            reduced[axis] = indices_.axis(sizes[axis]);
            values_.bind(reduced[axis], counter, false);
            sums = inside;
        }
        if (!axes.empty()) prefetch_operands(tile, reduced, axes.back());
        step(tile, reduced, sums);
        for (size_t i = 0; i < axes.size(); ++i) sums = emit_.close_loop(sums);
    }

    /// What the tile will update is on its way while the reduction runs: a line of each variable, some steps, the next line;
    /// asking for all at once would keep the operands waiting. Returns the first step that is left.
    ValueId reduce_and_prefetch(const Body& tile, const Shape& sizes, size_t axis, Position& reduced, Carries& sums) {
        int64_t lines = tile.rows * tile.vectors, depth = sizes[axis] == rows ? batch_ : sizes[axis];
        int64_t steps = std::min(most_between, depth / lines);
        if (updated_.empty() || steps == 0 || schedule_.column < 0) return prefetch_updates(tile), emit_.whole(0);
        ValueId each = emit_.whole(steps);
        ValueId possible = emit_.apply(Operation::quotient, {count_of(sizes[axis]), each});
        ValueId end = emit_.apply(Operation::minimum, {emit_.whole(lines), possible});
        auto [counter, inside] = emit_.open_loop(emit_.whole(0), end, 1, "line", sums);
        Index line = indices_.axis(lines);
        values_.bind(line, counter, false);
        sums = inside;
        prefetch_updates(tile, line);
        for (int64_t i = 0; i < steps; ++i) {
            reduced[axis] = indices_.shifted(indices_.scaled(line, steps), i);
            prefetch_operands(tile, reduced, axis);
            step(tile, reduced, sums);
        }
        sums = emit_.close_loop(sums);
        return emit_.apply(Operation::multiply, {end, each});
    }

    ValueId count_of(int64_t size) {
        return size == rows ? emit_.define(Operation::row_count, {Element::i64, 1}) : emit_.whole(size);
    }

    /// Row by row, so that one scalar after another is spread over a register, used and forgotten.
    void step(const Body& tile, const Position& reduced, Carries& sums) {
        for (int i = 0; i < tile.rows; ++i)
            for (int j = 0; j < tile.vectors; ++j) {
                mask_vector(tile, j);
                ValueId& sum = sums[size_t(i * tile.vectors + j)];
                sum = values_.accumulated(reduction(graph_, node_, at(i, j), reduced, indices_), sum);
            }
    }

    /// What the reduction reads some steps later.
    void prefetch_operands(const Body& tile, Position reduced, size_t innermost) {
        reduced[innermost] = indices_.shifted(reduced[innermost], steps_ahead);
        const int line = int(64 / bytes(graph_.type(node_).element));
        for (int j = 0; schedule_.ask_for_columns && j < tile.vectors; ++j)
            if (j * values_.lanes() % line == 0) prefetch_factor(at(0, j), reduced, true);
        if (!schedule_.ask_for_rows) return;
        prefetch_factor(at(0, 0), reduced, false);
        if (line % tile.rows != 0) prefetch_factor(at(tile.rows - 1, 0), reduced, false); // may lie in the next line
    }

    void prefetch_factor(const Position& at, const Position& reduced, bool by_vectors) {
        for (const View& factor : reduction(graph_, node_, at, reduced, indices_).factors)
            if (values_.varies(factor.at) == by_vectors) values_.prefetch(factor);
    }

    /// Asks for the lines of the variables that the tile will update.
    void prefetch_updates(const Body& tile) {
        for (int i = 0; i < tile.rows; ++i)
            for (int j = 0; j < tile.vectors; ++j) prefetch_updates(at(i, j));
    }
    /// For one vector of each, number `line` in the order in which they are updated.
    void prefetch_updates(const Body& tile, const Index& line) {
        Position position = point_;
        if (schedule_.row >= 0) {
            Index& row = position[size_t(schedule_.row)];
            row = indices_.sum(row, indices_.quotient(line, tile.vectors));
        }
        Index& column = position[size_t(schedule_.column)];
        column = indices_.sum(column, indices_.scaled(indices_.remainder(line, tile.vectors), values_.lanes()));
        prefetch_updates(position);
    }
    void prefetch_updates(const Position& position) {
        Branches(values_, task_.plan, task_.around.program).run([&] {
            for (auto [member, place] : updated_)
                if (!values_.stays(*member, *place)) values_.prefetch(*place, position);
        });
    }

    /// The finished sums, and all members that ride on them.
    void finish(const Position& at, ValueId sum) {
        const auto& members = task_.plan.stages[0].members;
        Made all(values_, task_);
        all.made(members[0], at, sum);
        for (size_t m = 1; m < members.size(); ++m) all.make(members[m], at);
        all.store();
    }

    /// Where the kernel's members update variables.
    std::vector<std::pair<const Member*, const Storage*>> updates() const {
        std::vector<std::pair<const Member*, const Storage*>> result;
        for (const Member& member : task_.plan.stages[0].members)
            for (const Storage& place : member.stores)
                if (task_.around.plan.buffers[place.buffer].role == loop::Buffer::Role::variable) result.push_back({&member, &place});
        return result;
    }

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
    ValueId group_begin_ = no_value, group_end_ = no_value; // tiles of rows
    ValueId last_lanes_ = no_value; // of the masked vector
};

} // namespace

void lower_product(const KernelTask& task) { Product(task).run(); }

} // namespace gradc
