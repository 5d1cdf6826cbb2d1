// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loops around the tiles of a product.
#include "compiler/program/product/loops.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

using loop::no_value;
using loop::Operation;
using loop::ValueId;

namespace {

/// Row counts of the tiles for the remainder of a number of rows that is known only at run time.
constexpr int rest_rows[] = {4, 1};

} // namespace

loop::Extent Product::extent() const {
    int64_t size = shape_[size_t(schedule_.part)];
    if (schedule_.part == schedule_.row)
        return size == rows ? loop::Extent{0, 1, schedule_.rows.longer} : loop::Extent{schedule_.rows.parts, 0, 1};
    if (schedule_.part != schedule_.column) return extent_of(size, 1);
    return size == rows ? extent_of(size, values_.lanes()) : loop::Extent{schedule_.columns.tiles(), 0, 1};
}

std::vector<int> Product::order() const {
    std::vector<int> result;
    for (int i = 0; i < int(shape_.size()); ++i)
        if (i != schedule_.column && i != schedule_.row && shared(i)) result.push_back(i);
    if (schedule_.column >= 0) result.push_back(schedule_.column);
    for (int i = 0; i < int(shape_.size()); ++i)
        if (i != schedule_.column && i != schedule_.row && !shared(i)) result.push_back(i);
    if (schedule_.row >= 0) result.push_back(schedule_.row);
    return result;
}

bool Product::shared(int axis) const {
    const Contract& labels = attribute<Contract>(graph_[node_]);
    auto in = [&](const std::vector<int>& list) {
        return std::find(list.begin(), list.end(), labels.out[size_t(axis)]) != list.end();
    };
    return in(labels.left) && in(labels.right);
}

void Product::outer(std::vector<int> axes) {
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

Axis Product::axis_of(int axis) {
    Axis result{shape_[size_t(axis)], 1, false,
                shape_[size_t(axis)] == rows ? "n" : std::string(1, char("ijklpqrs"[axis % 8]))};
    if (axis == schedule_.part) take_part(values_, result, axis == schedule_.column ? values_.lanes() : 1);
    return result;
}

int64_t Product::extent_of_axis(int axis) const { return shape_[size_t(axis)] == rows ? batch_ : shape_[size_t(axis)]; }

std::pair<ValueId, ValueId> Product::own_tiles() {
    const loop::ValueType integer{Dtype::i64, 1};
    if (schedule_.part == schedule_.row)
        return {emit_.define(Operation::range_begin, integer), emit_.define(Operation::range_end, integer)};
    if (shape_[size_t(schedule_.row)] != rows) return {emit_.integer(0), emit_.integer(schedule_.rows.parts)};
    ValueId padded = emit_.apply(
        Operation::add, {emit_.define(Operation::row_count, integer), emit_.integer(schedule_.rows.longer - 1)});
    return {emit_.integer(0), emit_.apply(Operation::quotient, {padded, emit_.integer(schedule_.rows.longer)})};
}

void Product::groups(const std::vector<int>& inside) {
    auto [begin, end] = own_tiles();
    ValueId size = emit_.integer(schedule_.group);
    ValueId padded = emit_.apply(Operation::add, {end, emit_.integer(schedule_.group - 1)});
    ValueId first_group = emit_.apply(Operation::quotient, {begin, size});
    ValueId end_group = emit_.apply(Operation::quotient, {padded, size});
    auto [counter, none] = emit_.open_loop(first_group, end_group, 1, "group");
    ValueId first = emit_.apply(Operation::multiply, {counter, size});
    group_begin_ = emit_.apply(Operation::maximum, {begin, first});
    group_end_ = emit_.apply(Operation::minimum, {end, emit_.apply(Operation::add, {first, size})});
    columns(inside);
    emit_.close_loop();
}

void Product::columns(const std::vector<int>& inside) {
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

void Product::panels(int vectors, int64_t count, int64_t before, int64_t first, bool masked) {
    bool shared = schedule_.part == schedule_.column;
    if (count == 0) return;
    if (count == 1 && !shared) return panel(Index{first, {}}, vectors, masked);
    ValueId begin = emit_.integer(0), end = emit_.integer(count);
    if (shared) {
        ValueId none = begin, skipped = emit_.integer(before);
        auto own = [&](Operation bound) {
            return emit_.apply(Operation::subtract, {emit_.define(bound, {Dtype::i64, 1}), skipped});
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

void Product::column_vectors() {
    Axis axis = axis_of(schedule_.column);
    ValueId begin = axis.begin == no_value ? emit_.integer(0) : axis.begin;
    ValueId end = axis.begin != no_value ? axis.end
                  : axis.size == rows    ? emit_.define(Operation::row_count, {Dtype::i64, 1})
                                         : emit_.integer(axis.size);
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

void Product::panel(const Index& begin, int vectors, bool masked) {
    Index lane = indices_.axis(values_.lanes());
    values_.bind(lane, emit_.integer(0), true, true);
    point_[size_t(schedule_.column)] = indices_.sum(begin, lane);
    if (masked) {
        Index last = indices_.shifted(begin, (vectors - 1) * values_.lanes());
        ValueId left =
            emit_.apply(Operation::subtract, {emit_.integer(shape_[size_t(schedule_.column)]), values_.scalar(last)});
        last_lanes_ = emit_.apply(Operation::minimum, {left, emit_.integer(values_.lanes())});
    }
    tile_vectors_ = vectors;
    masked_ = masked;
    if (schedule_.block) return blocks();
    outer(inside_);
}

void Product::rows_of_tiles() {
    const EvenSplit& split = schedule_.rows;
    auto [begin, end] = schedule_.group ? std::pair(group_begin_, group_end_) : own_tiles();
    if (shape_[size_t(schedule_.row)] == rows) return counted_rows(begin, end, split);
    even_tiles(begin, end, emit_.integer(split.long_parts), split);
}

void Product::even_tiles(ValueId begin, ValueId end, ValueId long_parts, const EvenSplit& split,
                         const std::function<void(ValueId, const char*)>& note) {
    auto first_row = [&](ValueId item, int64_t length) {
        return emit_.apply(Operation::multiply, {item, emit_.integer(length)});
    };
    ValueId long_begin = first_row(emit_.apply(Operation::minimum, {begin, long_parts}), split.longer);
    ValueId long_end = first_row(emit_.apply(Operation::minimum, {end, long_parts}), split.longer);
    if (note) note(long_begin, "long_begin"), note(long_end, "long_end");
    tiles(long_begin, long_end, int(split.longer));
    if (split.long_parts == split.parts) return;
    auto short_row = [&](ValueId item) {
        ValueId later = emit_.apply(Operation::maximum, {item, long_parts});
        return emit_.apply(Operation::add, {first_row(later, split.shorter()), long_parts});
    };
    ValueId short_begin = short_row(begin), short_end = short_row(end);
    if (note) note(short_begin, "short_begin"), note(short_end, "short_end");
    tiles(short_begin, short_end, int(split.shorter()));
}

void Product::counted_rows(ValueId begin, ValueId end, const EvenSplit& split) {
    const loop::ValueType integer{Dtype::i64, 1};
    ValueId count = emit_.define(Operation::row_count, integer), length = emit_.integer(split.longer);
    ValueId padded = emit_.apply(Operation::add, {count, emit_.integer(split.longer - 1)});
    ValueId items = emit_.apply(Operation::quotient, {padded, length});
    if (split.longer == 1) return even_tiles(begin, end, items, split);
    ValueId missing = emit_.apply(Operation::subtract, {emit_.apply(Operation::multiply, {items, length}), count});
    bool two_lengths = split.long_parts < split.parts;
    ValueId even = emit_.compare(Operation::less_equal, missing, two_lengths ? items : emit_.integer(0));
    ValueId long_parts = emit_.define(
        Operation::select, integer,
        {even, emit_.apply(Operation::subtract, {items, missing}), emit_.apply(Operation::quotient, {count, length})});
    ValueId even_end =
        emit_.define(Operation::select, integer, {even, end, emit_.apply(Operation::minimum, {end, long_parts})});
    const std::vector<ValueId> call{count, emit_.define(Operation::range_begin, integer),
                                    emit_.define(Operation::range_end, integer)};
    auto note = [&](ValueId value, const char* what) { // for people; of a part of the range it would not hold
        if (begin == call[1] && end == call[2])
            emit_.name(value, what), emit_.note_call(value, fmt::format("{}_of_tiles_by_{}", what, split.longer), call);
    };
    even_tiles(begin, even_end, long_parts, split, note);
    ValueId rest = emit_.apply(Operation::multiply, {emit_.apply(Operation::maximum, {begin, long_parts}), length});
    ValueId stop = emit_.apply(Operation::minimum, {emit_.apply(Operation::multiply, {end, length}), count});
    stop = emit_.define(Operation::select, integer, {even, rest, stop});
    note(rest, "rest");
    note(stop, "stop");
    for (int few : rest_rows)
        if (few < split.longer) rest = whole_tiles(rest, stop, few);
}

ValueId Product::whole_tiles(ValueId begin, ValueId end, int tile_rows) {
    ValueId stop = end;
    if (tile_rows > 1) {
        ValueId step = emit_.integer(tile_rows), none = emit_.integer(0);
        ValueId length = emit_.apply(Operation::maximum, {emit_.apply(Operation::subtract, {end, begin}), none});
        ValueId fitting = emit_.apply(Operation::multiply, {emit_.apply(Operation::quotient, {length, step}), step});
        stop = emit_.apply(Operation::add, {begin, fitting});
    }
    tiles(begin, stop, tile_rows);
    return stop;
}

void Product::tiles(ValueId begin, ValueId end, int tile_rows) {
    auto [counter, none] = emit_.open_loop(begin, end, tile_rows, "row");
    Index row = indices_.axis(extent_of_axis(schedule_.row) - tile_rows + 1);
    values_.bind(row, counter, false);
    point_[size_t(schedule_.row)] = row;
    tile_row_ = counter;
    tile({tile_rows, tile_vectors_, masked_});
    emit_.close_loop();
}

std::set<loop::BufferId> Product::written() const {
    std::set<loop::BufferId> result = written_buffers(task_.plan);
    result.insert(next_local());
    return result;
}

void Product::make_block() {
    loop::Buffer memory;
    memory.name = "block";
    memory.dtype = register_element(graph_.type(node_).dtype);
    memory.shape = {schedule_.block + schedule_.group * schedule_.rows.longer, block_width()};
    memory.strides = dense_strides(memory.shape, batch_);
    memory.offset = task_.around.plan.arena_bytes;
    memory.size = count(memory.shape, batch_) * bytes(memory.dtype);
    memory.role = loop::Buffer::Role::local;
    block_.memory = next_local();
    task_.locals.push_back(std::move(memory));
}

ValueId Product::row_of(ValueId item) {
    ValueId longer = emit_.apply(Operation::multiply, {item, emit_.integer(schedule_.rows.longer)});
    ValueId later = emit_.apply(Operation::subtract, {item, emit_.integer(schedule_.rows.long_parts)});
    return emit_.apply(Operation::subtract, {longer, emit_.apply(Operation::maximum, {later, emit_.integer(0)})});
}

void Product::blocks() {
    const EvenSplit& split = schedule_.rows;
    auto tiles_of_group = [&](Block::Pass pass) {
        block_.pass = pass;
        even_tiles(group_begin_, group_end_, emit_.integer(split.long_parts), split);
        block_.pass = Block::Pass::none;
    };
    block_.first_row = row_of(group_begin_);
    ValueId rows = emit_.apply(Operation::subtract, {row_of(group_end_), block_.first_row});
    ValueId zeros = emit_.number(0, {register_element(graph_.type(node_).dtype), values_.lanes()});
    auto [number, none] = emit_.open_loop(emit_.integer(0), rows, 1, "row");
    for (int j = 0; j < tile_vectors_; ++j) emit_.store(block_.memory, place_of_sums(number, no_value, 0, j), zeros);
    emit_.close_loop();
    const Shape sizes = reduced_sizes(graph_, node_);
    Carries no_sums;
    block_.outside.assign(sizes.size(), Index{});
    for (size_t i = 0; i < schedule_.block_axis; ++i)
        if (sizes[i] != 1) open_steps(emit_.integer(0), count_of(sizes[i]), sizes[i], block_.outside[i], no_sums);
    int64_t length = schedule_.block;
    for (size_t i = schedule_.block_axis + 1; i < sizes.size(); ++i) length /= sizes[i] == rows ? batch_ : sizes[i];
    ValueId depth = count_of(sizes[schedule_.block_axis]);
    block_.begin = emit_.open_loop(emit_.integer(0), depth, length, "block").first;
    block_.end =
        emit_.apply(Operation::minimum, {emit_.apply(Operation::add, {block_.begin, emit_.integer(length)}), depth});
    copy_panel();
    tiles_of_group(Block::Pass::sums);
    emit_.close_loop();
    for (size_t i = 0; i < schedule_.block_axis; ++i)
        if (sizes[i] != 1) emit_.close_loop();
    tiles_of_group(Block::Pass::end);
}

loop::Affine Product::open_block(Position& reduced, Carries& sums) {
    const Shape sizes = reduced_sizes(graph_, node_);
    loop::Affine place;
    int64_t width = block_width();
    for (size_t i = schedule_.block_axis + 1; i < sizes.size(); ++i) width *= sizes[i] == rows ? batch_ : sizes[i];
    reduced = block_.outside;
    for (size_t i = schedule_.block_axis; i < sizes.size(); ++i) {
        bool cut = i == schedule_.block_axis;
        if (!cut) width /= sizes[i] == rows ? batch_ : sizes[i];
        if (!cut && sizes[i] == 1) continue;
        ValueId counter = open_steps(cut ? block_.begin : emit_.integer(0), cut ? block_.end : count_of(sizes[i]),
                                     sizes[i], reduced[i], sums);
        place.terms.push_back({counter, width});
        if (cut) place.terms.push_back({block_.begin, -width});
    }
    return place;
}

void Product::close_block(Carries& sums) {
    const Shape sizes = reduced_sizes(graph_, node_);
    for (size_t i = schedule_.block_axis; i < sizes.size(); ++i)
        if (i == schedule_.block_axis || sizes[i] != 1) sums = emit_.close_loop(sums);
}

size_t Product::innermost_of_block() const {
    const Shape sizes = reduced_sizes(graph_, node_);
    size_t axis = sizes.size() - 1;
    while (axis > schedule_.block_axis && sizes[axis] == 1) --axis;
    return axis;
}

void Product::copy_panel() {
    Position reduced;
    Carries no_sums;
    const loop::Affine place = open_block(reduced, no_sums);
    point_[size_t(schedule_.row)] = Index{}; // the panel is the same for all rows
    prefetch_columns(tile_vectors_, reduced, innermost_of_block());
    for (int j = 0; j < tile_vectors_; ++j) {
        mask_vector({1, tile_vectors_, masked_}, j);
        loop::Affine vector = place;
        vector.constant += j * values_.lanes();
        for (const View& factor : reduction(graph_, node_, at(0, j), reduced, indices_).factors)
            if (values_.varies(factor.at)) // a spread value is a scalar
                emit_.store(block_.memory, vector, emit_.widened(values_.of_view(factor), values_.lanes()));
    }
    values_.unlimited();
    close_block(no_sums);
}

void lower_product(const KernelTask& task) { Product(task).run(); }

} // namespace gradc
