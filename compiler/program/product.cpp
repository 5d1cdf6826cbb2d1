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

/// Width of what the kernel reads or writes in panels; 0: nothing lies so.
int64_t panel_width(const KernelTask& task) {
    int64_t width = 0;
    const Graph& graph = task.around.program.flat.graph;
    auto note = [&](const std::optional<Storage>& place) {
        if (place && place->panel) width = std::gcd(width, place->panel);
    };
    for (const Member& member : task.plan.stages[0].members) {
        for (const Storage& place : member.stores) note(place);
        for (NodeId input : graph[member.node].inputs) note(task.around.program.places[index(input)]);
    }
    return width;
}

class Product {
  public:
    explicit Product(const KernelTask& task)
        : task_(task), graph_(task.around.program.flat.graph), batch_(task.around.plan.batch), indices_(batch_),
          emit_(task.kernel, written_buffers(task.plan)), values_(emit_, task.around, indices_, task.lanes),
          node_(task.plan.stages.at(0).members.at(0).node), shape_(graph_.type(node_).shape),
          schedule_(schedule_product(graph_, node_, batch_, task.lanes, panel_width(task), task.around.machine)) {}

    void run() {
        loop::Kernel& kernel = task_.kernel;
        if (schedule_.part < 0) {
            kernel.grain = 0;
        } else {
            kernel.extent = extent_of(shape_[size_t(schedule_.part)], schedule_.block);
            double items = double(kernel.extent.fixed) + double(kernel.extent.per_row * batch_) / double(kernel.extent.divisor);
            kernel.grain = std::max<int64_t>(1, int64_t(items * 100'000 / std::max(1.0, kernel.flops)));
        }
        point_.resize(shape_.size());
        outer(order());
        emit_.finish();
    }

  private:
    struct Tile {
        int rows, vectors;
        bool masked; // the last vector
    };

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
        if (axes.empty()) return tile({1, 1, false});
        int axis = axes[0];
        axes.erase(axes.begin());
        if (axis == schedule_.column) return columns(axes);
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
        if (axis == schedule_.part) take_part(values_, result, schedule_.block);
        return result;
    }

    int64_t extent_of_axis(int axis) const {
        return shape_[size_t(axis)] == rows ? batch_ : shape_[size_t(axis)];
    }

    void columns(const std::vector<int>& inside) {
        inside_ = inside;
        int64_t size = shape_[size_t(schedule_.column)];
        if (schedule_.part == schedule_.column || size == rows) return column_vectors();
        int64_t lanes = values_.lanes(), vectors = (size + lanes - 1) / lanes;
        int64_t panels = vectors / schedule_.tile_vectors, rest = vectors % schedule_.tile_vectors;
        bool masked = size % lanes != 0;
        if (masked && rest == 0) --panels, rest = schedule_.tile_vectors;
        int64_t width = schedule_.tile_vectors * lanes;
        if (panels > 0) {
            auto [counter, none] = emit_.open_loop(emit_.whole(0), emit_.whole(panels), 1, "panel");
            Index number = indices_.axis(panels);
            values_.bind(number, counter, false);
            panel(indices_.scaled(number, width), schedule_.tile_vectors, false);
            emit_.close_loop();
        }
        if (rest > 0) {
            if (masked) last_lanes_ = emit_.whole(size - (panels * width + (rest - 1) * lanes));
            panel(Index{panels * width, {}}, int(rest), masked);
        }
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

    /// Columns begin + lane, so many vectors; `begin` is a multiple of the tile's width, so that panels are never crossed.
    void panel(const Index& begin, int vectors, bool masked) {
        Index lane = indices_.axis(values_.lanes());
        values_.bind(lane, emit_.whole(0), true, true);
        point_[size_t(schedule_.column)] = indices_.sum(begin, lane);
        tile_vectors_ = vectors;
        masked_ = masked;
        outer(inside_);
    }

    void rows_of_tiles() {
        Axis axis = axis_of(schedule_.row);
        int64_t size = axis.size == rows ? batch_ : axis.size;
        bool whole = axis.begin == no_value;
        ValueId begin = whole ? emit_.whole(0) : axis.begin;
        ValueId end = !whole ? axis.end
                      : axis.size == rows ? emit_.define(Operation::row_count, {Element::i64, 1})
                                          : emit_.whole(size);
        // A known size splits into items of 24 rows, so only the last of them leaves a rest, and it is known too.
        bool known = axis.size != rows && (24 % schedule_.tile_rows == 0 || size <= 24);
        int64_t rest = size;
        for (int tile_rows : {schedule_.tile_rows, 4, 2, 1}) {
            if (tile_rows > schedule_.tile_rows || (known && rest < tile_rows)) continue;
            begin = tiles(begin, end, tile_rows);
            rest %= tile_rows;
            if (tile_rows == 1 || (known && rest == 0)) break;
        }
    }

    /// Runs tiles of so many rows while they fit; returns where the rest begins.
    ValueId tiles(ValueId begin, ValueId end, int tile_rows) {
        ValueId step = emit_.whole(tile_rows);
        ValueId length = emit_.apply(Operation::subtract, {end, begin});
        ValueId fitting = emit_.apply(Operation::multiply, {emit_.apply(Operation::quotient, {length, step}), step});
        ValueId stop = emit_.apply(Operation::add, {begin, fitting});
        auto [counter, none] = emit_.open_loop(begin, stop, tile_rows, "row");
        Index row = indices_.axis(extent_of_axis(schedule_.row) - tile_rows + 1);
        values_.bind(row, counter, false);
        point_[size_t(schedule_.row)] = row;
        tile({tile_rows, tile_vectors_, masked_});
        emit_.close_loop();
        return stop;
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

    void mask_vector(const Tile& tile, int vector) {
        if (tile.masked && vector == tile.vectors - 1)
            values_.limit(last_lanes_);
        else
            values_.unlimited();
    }

    void tile(const Tile& tile) {
        Shape sizes = reduced_sizes(graph_, node_);
        Position reduced = fresh_axes(sizes, indices_);
        Element element = graph_.type(node_).element;
        int lanes = schedule_.column < 0 ? 1 : values_.lanes();
        Carries sums;
        for (int i = 0; i < tile.rows * tile.vectors; ++i)
            sums.push_back(emit_.number(0, {register_element(element), lanes}));
        prefetch_updates(tile);
        int opened = 0;
        for (size_t i = 0; i < sizes.size(); ++i) {
            if (reduced[i].is_constant()) continue;
            ValueId end = sizes[i] == rows ? emit_.define(Operation::row_count, {Element::i64, 1}) : emit_.whole(sizes[i]);
            auto [counter, inside] = emit_.open_loop(emit_.whole(0), end, 1, sizes[i] == rows ? "n" : "k", sums);
            values_.bind(reduced[i], counter, false);
            sums = inside;
            ++opened;
        }
        // Row by row, so that one scalar after another is spread over a register, used and forgotten.
        for (int i = 0; i < tile.rows; ++i)
            for (int j = 0; j < tile.vectors; ++j) {
                mask_vector(tile, j);
                ValueId& sum = sums[size_t(i * tile.vectors + j)];
                sum = values_.accumulated(reduction(graph_, node_, at(i, j), reduced, indices_), sum);
            }
        for (; opened > 0; --opened) sums = emit_.close_loop(sums);
        Branches(values_, task_.plan, task_.around.program).run([&] {
            for (int i = 0; i < tile.rows; ++i)
                for (int j = 0; j < tile.vectors; ++j) {
                    mask_vector(tile, j);
                    finish(at(i, j), sums[size_t(i * tile.vectors + j)]);
                }
            values_.unlimited();
        });
    }

    /// Variables that the tile will update are on their way while the reduction runs.
    void prefetch_updates(const Tile& tile) {
        Branches(values_, task_.plan, task_.around.program).run([&] {
            for (const Member& member : task_.plan.stages[0].members)
                for (const Storage& place : member.stores) {
                    auto role = task_.around.plan.buffers[place.buffer].role;
                    if (role != loop::Buffer::Role::variable || values_.stays(member, place)) continue;
                    for (int i = 0; i < tile.rows; ++i)
                        for (int j = 0; j < tile.vectors; ++j) values_.prefetch(place, at(i, j));
                }
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

    const KernelTask& task_;
    const Graph& graph_;
    int64_t batch_;
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
    ValueId last_lanes_ = no_value; // of the masked vector
};

} // namespace

void lower_product(const KernelTask& task) { Product(task).run(); }

} // namespace gradc
