// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One tile: the reduction of its sums, then the elementwise operations on them and the stores.
#include "compiler/program/branches.h"
#include "compiler/program/product/loops.h"
#include <algorithm>

namespace gradc {

using loop::no_value;
using loop::Operation;
using loop::ValueId;

namespace {

/// Steps of the reduction from asking for an operand's line to its use: longer than the second cache takes.
constexpr int64_t steps_ahead = 16;
/// Most steps of the reduction from asking for one line of what the tile updates to asking for the next; written out,
/// since a loop of so few steps is left too often.
constexpr int64_t most_between = 5;

} // namespace

Position Product::at(int row, int vector) {
    Position result = point_;
    if (row > 0) result[size_t(schedule_.row)] = indices_.shifted(result[size_t(schedule_.row)], row);
    if (vector > 0) {
        Index& column = result[size_t(schedule_.column)];
        column = indices_.shifted(column, vector * values_.lanes());
    }
    return result;
}

void Product::mask_vector(const Body& tile, int vector) {
    if (tile.masked && vector == tile.vectors - 1) values_.limit(last_lanes_);
    else values_.unlimited();
}

void Product::tile(const Body& tile) {
    if (block_.pass == Block::Pass::sums) return tile_in_block(tile);
    if (block_.pass == Block::Pass::end) return end_of_tile(tile, sums_so_far(tile));
    Dtype dtype = graph_.type(node_).dtype;
    int lanes = schedule_.column < 0 ? 1 : values_.lanes();
    Carries sums;
    for (int i = 0; i < tile.rows * tile.vectors; ++i)
        sums.push_back(emit_.number(0, {register_element(dtype), lanes}));
    reduce(tile, sums);
    end_of_tile(tile, sums);
}

void Product::end_of_tile(const Body& tile, const Carries& sums) {
    Branches(values_, task_.plan, task_.around.program).run([&] {
        for (int i = 0; i < tile.rows; ++i)
            for (int j = 0; j < tile.vectors; ++j) {
                mask_vector(tile, j);
                finish(at(i, j), sums[size_t(i * tile.vectors + j)]);
            }
        values_.unlimited();
    });
}

void Product::reduce(const Body& tile, Carries& sums) {
    Shape sizes = reduced_sizes(graph_, node_);
    std::vector<size_t> axes;
    for (size_t i = 0; i < sizes.size(); ++i)
        if (sizes[i] != 1) axes.push_back(i);
    Position reduced(sizes.size());
    int64_t depth = count(sizes, batch_), lines = lines_to_prefetch(tile, depth);
    ValueId begin = emit_.integer(0);
    if (axes.size() == 1 && lines > 0 && depth >= lines)
        begin = reduce_and_prefetch(tile, sizes[axes[0]], axes[0], lines, sums);
    else prefetch_updates(tile);
    for (size_t axis : axes) open_steps(begin, count_of(sizes[axis]), sizes[axis], reduced[axis], sums);
    if (!axes.empty()) prefetch_operands(tile, reduced, axes.back());
    step(tile, reduced, sums);
    for (size_t i = 0; i < axes.size(); ++i) sums = emit_.close_loop(sums);
}

ValueId Product::open_steps(ValueId begin, ValueId end, int64_t size, Index& reduced, Carries& sums) {
    auto [counter, inside] = emit_.open_loop(begin, end, 1, size == rows ? "n" : "k", sums);
    reduced = indices_.axis(size);
    values_.bind(reduced, counter, false);
    sums = inside;
    return counter;
}

ValueId Product::reduce_and_prefetch(const Body& tile, int64_t size, size_t axis, int64_t lines, Carries& sums) {
    const bool panel = updated_.empty();
    int64_t steps = panel ? 1 : std::min(most_between, (size == rows ? batch_ : size) / lines);
    ValueId each = emit_.integer(steps);
    ValueId possible = emit_.apply(Operation::quotient, {count_of(size), each});
    ValueId end = emit_.apply(Operation::minimum, {emit_.integer(lines), possible});
    auto [counter, inside] = emit_.open_loop(emit_.integer(0), end, 1, "line", sums);
    Index line = indices_.axis(lines);
    values_.bind(line, counter, false);
    Position reduced(reduced_sizes(graph_, node_).size());
    sums = inside;
    if (panel) prefetch_next_panel(tile, counter, lines, axis, reduced);
    else prefetch_updates(tile, line);
    for (int64_t i = 0; i < steps; ++i) {
        reduced[axis] = indices_.shifted(indices_.scaled(line, steps), i);
        prefetch_operands(tile, reduced, axis);
        step(tile, reduced, sums);
    }
    sums = emit_.close_loop(sums);
    return emit_.apply(Operation::multiply, {end, each});
}

int64_t Product::lines_to_prefetch(const Body& tile, int64_t depth) const {
    const EvenSplit& split = schedule_.rows;
    bool rare = tile.rows < split.longer && 8 * (split.parts - split.long_parts) < split.parts; // not worth the code
    if (schedule_.column < 0 || rare) return 0;
    if (!updated_.empty()) return tile.rows * tile.vectors;
    return schedule_.ask_for_panel ? (depth * tile.vectors + schedule_.rows.parts - 1) / schedule_.rows.parts : 0;
}

void Product::prefetch_next_panel(const Body& tile, ValueId line, int64_t lines, size_t axis, Position reduced) {
    ValueId number = emit_.apply(Operation::quotient, {tile_row_, emit_.integer(tile.rows)});
    ValueId linear =
        emit_.apply(Operation::add, {emit_.apply(Operation::multiply, {number, emit_.integer(lines)}), line});
    Index of_panel = indices_.axis(lines * schedule_.rows.parts);
    values_.bind(of_panel, linear, false);
    reduced[axis] = indices_.quotient(of_panel, tile.vectors);
    Position position = point_;
    Index& column = position[size_t(schedule_.column)];
    column = indices_.sum(indices_.shifted(column, tile.vectors * values_.lanes()),
                          indices_.scaled(indices_.remainder(of_panel, tile.vectors), values_.lanes()));
    prefetch_factor(position, reduced, true);
}

ValueId Product::count_of(int64_t size) {
    return size == rows ? emit_.define(Operation::row_count, {Dtype::i64, 1}) : emit_.integer(size);
}

void Product::step(const Body& tile, const Position& reduced, Carries& sums) {
    for (int i = 0; i < tile.rows; ++i)
        for (int j = 0; j < tile.vectors; ++j) {
            mask_vector(tile, j);
            ValueId& sum = sums[size_t(i * tile.vectors + j)];
            sum = values_.accumulated(reduction(graph_, node_, at(i, j), reduced, indices_), sum);
        }
}

void Product::prefetch_operands(const Body& tile, const Position& reduced, size_t innermost) {
    prefetch_columns(tile.vectors, reduced, innermost);
    prefetch_rows(tile.rows, reduced, innermost);
}

void Product::prefetch_columns(int vectors, Position reduced, size_t innermost) {
    if (!schedule_.ask_for_columns) return;
    reduced[innermost] = indices_.shifted(reduced[innermost], steps_ahead);
    for (int j = 0; j < vectors; ++j)
        if (j * values_.lanes() % line_elements() == 0) prefetch_factor(at(0, j), reduced, true);
}

void Product::prefetch_rows(int tile_rows, Position reduced, size_t innermost) {
    if (!schedule_.ask_for_rows) return;
    reduced[innermost] = indices_.shifted(reduced[innermost], steps_ahead);
    prefetch_factor(at(0, 0), reduced, false);
    if (line_elements() % tile_rows != 0)
        prefetch_factor(at(tile_rows - 1, 0), reduced, false); // may lie in the next line
}

void Product::prefetch_factor(const Position& at, const Position& reduced, bool by_vectors) {
    for (const View& factor : reduction(graph_, node_, at, reduced, indices_).factors)
        if (values_.varies(factor.at) == by_vectors) values_.prefetch(factor);
}

void Product::prefetch_updates(const Body& tile) {
    for (int i = 0; i < tile.rows; ++i)
        for (int j = 0; j < tile.vectors; ++j) prefetch_updates(at(i, j));
}

void Product::prefetch_updates(const Body& tile, const Index& line) {
    Position position = point_;
    if (schedule_.row >= 0) {
        Index& row = position[size_t(schedule_.row)];
        row = indices_.sum(row, indices_.quotient(line, tile.vectors));
    }
    Index& column = position[size_t(schedule_.column)];
    column = indices_.sum(column, indices_.scaled(indices_.remainder(line, tile.vectors), values_.lanes()));
    prefetch_updates(position);
}

void Product::prefetch_updates(const Position& position) {
    Branches(values_, task_.plan, task_.around.program).run([&] {
        for (auto [member, place] : updated_)
            if (!values_.stays(*member, *place)) values_.prefetch(*place, position);
    });
}

void Product::finish(const Position& at, ValueId sum) {
    const auto& members = task_.plan.stages[0].members;
    Made all(values_, task_);
    all.made(members[0], at, sum);
    for (size_t m = 1; m < members.size(); ++m) all.make(members[m], at);
    all.store();
}

std::vector<std::pair<const Member*, const Storage*>> Product::updates() const {
    std::vector<std::pair<const Member*, const Storage*>> result;
    for (const Member& member : task_.plan.stages[0].members)
        for (const Storage& place : member.stores)
            if (task_.around.plan.buffers[place.buffer].role == loop::Buffer::Role::variable)
                result.push_back({&member, &place});
    return result;
}

loop::Affine Product::place_of_sums(ValueId row, ValueId first_row, int more_rows, int vector) {
    loop::Affine place{(schedule_.block + more_rows) * block_width() + vector * values_.lanes(),
                       {{row, block_width()}}};
    if (first_row != no_value) place.terms.push_back({first_row, -block_width()});
    return place;
}

Carries Product::sums_so_far(const Body& tile) {
    Dtype dtype = register_element(graph_.type(node_).dtype);
    Carries sums;
    for (int i = 0; i < tile.rows; ++i)
        for (int j = 0; j < tile.vectors; ++j)
            sums.push_back(
                emit_.load(block_.memory, dtype, values_.lanes(), place_of_sums(tile_row_, block_.first_row, i, j)));
    return sums;
}

void Product::tile_in_block(const Body& tile) {
    Dtype dtype = register_element(graph_.type(node_).dtype);
    Position reduced;
    Carries sums = sums_so_far(tile);
    const loop::Affine place = open_block(reduced, sums);
    prefetch_rows(tile.rows, reduced, innermost_of_block());
    Carries vectors;
    for (int j = 0; j < tile.vectors; ++j) {
        loop::Affine vector = place;
        vector.constant += j * values_.lanes();
        vectors.push_back(emit_.load(block_.memory, dtype, values_.lanes(), vector));
    }
    for (int i = 0; i < tile.rows; ++i)
        for (const View& factor : reduction(graph_, node_, at(i, 0), reduced, indices_).factors) {
            if (values_.varies(factor.at)) continue;
            ValueId scalar = values_.of_view(factor);
            for (int j = 0; j < tile.vectors; ++j) {
                ValueId& sum = sums[size_t(i * tile.vectors + j)];
                sum = values_.with_product(sum, scalar, vectors[size_t(j)]);
            }
        }
    close_block(sums);
    for (int i = 0; i < tile.rows; ++i)
        for (int j = 0; j < tile.vectors; ++j)
            emit_.store(block_.memory, place_of_sums(tile_row_, block_.first_row, i, j),
                        sums[size_t(i * tile.vectors + j)]);
}

} // namespace gradc
