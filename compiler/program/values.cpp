// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values by recursion on the graph. Results are cached by node, position and mask while their scope is open.
#include "compiler/program/values.h"
#include "compiler/plan/members.h"
#include "compiler/program/branches.h"
#include "compiler/util/check.h"
#include <limits>

namespace gradc {

using loop::no_value;
using loop::Operation;
using loop::ValueId;
using loop::ValueType;

Dtype register_element(Dtype dtype) { return dtype == Dtype::u8 ? Dtype::i32 : dtype; }

void Values::remember(NodeId node, const Position& at, ValueId value) {
    known_[{node, at, varies(at) ? mask_ : no_value}] = value;
}

void Values::limit(ValueId count) {
    mask_ = limit_ = emit.define(Operation::lane_mask, {Dtype::boolean, lanes_}, {count});
    only_limit_ = true;
}

ValueId Values::value(NodeId node, const Position& at) {
    // A result for more lanes is valid too.
    for (ValueId mask : {mask_, limit_, ValueId(no_value)})
        if (auto found = known_.find({node, at, mask}); found != known_.end() && emit.in_scope(found->second))
            return found->second;
    const auto& place = around_.program.places[index(node)];
    ValueId result = place ? read(*place, at, graph_.type(node).dtype) : compute(node, at);
    if (!place || !emit.writes(place->buffer)) remember(node, at, result);
    return result;
}

// ---- settled conditions -------------------------------------------------------------------------------

Values::Known Values::settle(NodeId condition, bool outcome) {
    settled_[condition] = outcome;
    return known_;
}

void Values::unsettle(NodeId condition, Known before) {
    settled_.erase(condition);
    known_ = std::move(before);
}

NodeId Values::settled(NodeId id) const {
    for (const Node* node = &graph_[id]; !settled_.empty(); node = &graph_[id]) {
        if (node->op != Op::elementwise || attribute<Elementwise>(*node).primitive != Primitive::select) break;
        auto known = settled_.find(uniform_condition(graph_, node->inputs[0]));
        if (known == settled_.end()) break;
        id = node->inputs[known->second ? 1 : 2];
    }
    return id;
}

bool Values::lies_at(NodeId node, const Storage& place) const {
    const auto& own = around_.program.places[index(node)];
    return graph_[node].op == Op::variable && own && *own == place;
}

bool Values::stays(const Member& member, const Storage& place) const {
    return !settled_.empty() && !member.copies && lies_at(settled(member.node), place);
}

// ---- computing ----------------------------------------------------------------------------------------

ValueId Values::compute(NodeId id, const Position& at) {
    if (NodeId side = settled(id); side != id) return value(side, at);
    const Node& node = graph_[id];
    if (is_view(graph_, id)) return of_view(view(graph_, id, at, indices_));
    if (is_reduction(graph_, id)) return nested(id, at);
    switch (node.op) {
    case Op::constant: return constant(id);
    case Op::iota: return iota(id, at);
    case Op::random: return random(id, at);
    case Op::input: {
        check(attribute<Input>(node).source == Input::Source::iteration, "lower", "an input lies nowhere");
        return emit.convert(
            scalar(indices_.iteration(iteration_depth(attribute<Input>(node)), attribute<Input>(node).high + 1)),
            Dtype::i32);
    }
    case Op::cast: {
        ValueId inner = value(node.inputs[0], at);
        return cast(emit, inner, graph_.type(node.inputs[0]).dtype, node.type.dtype);
    }
    case Op::elementwise: {
        std::vector<ValueId> operands;
        for (NodeId input : node.inputs) operands.push_back(value(input, at));
        return apply_primitive(emit, around_, attribute<Elementwise>(node).primitive,
                               graph_.type(node.inputs.back()).dtype, operands);
    }
    default: throw InternalError("lower", "no value of " + std::string(name(node.op)));
    }
}

ValueId Values::constant(NodeId id) {
    const Node& node = graph_[id];
    return emit.number(attribute<Constant>(node).values[0], {register_element(node.type.dtype), 1});
}

ValueId Values::iota(NodeId id, const Position& at) {
    const Node& node = graph_[id];
    Linear where = linear(at[size_t(attribute<Axes>(node).axes[0])]);
    bool along = where.lane_stride != 0 || where.vector != no_value;
    ValueId number = along ? vector_of(where) : sum_of(where.scalar);
    return cast(emit, number, along ? Dtype::i32 : Dtype::i64, node.type.dtype);
}

ValueId Values::of_view(const View& view) {
    if (view.guards.empty()) return value(view.node, view.at);
    View inside = view;
    ValueId holds = no_value;
    for (const Guard& guard : view.guards)
        if (auto [low, high] = indices_.range(guard.index); high < 0 || low >= guard.size) // never holds
            return emit.number(view.otherwise, {register_element(graph_.type(view.node).dtype), 1});
    for (const Guard& guard : view.guards) {
        ValueId one = guarded(guard);
        holds = holds == no_value ? one : emit.apply(Operation::bit_and, {holds, one});
    }
    const Shape& shape = graph_.type(view.node).shape;
    for (size_t i = 0; i < shape.size(); ++i)
        if (shape[i] != rows && is_scalar(inside.at[i])) inside.at[i] = indices_.clamped(inside.at[i], shape[i]);
    ValueId mask = mask_;
    bool only_limit = only_limit_;
    if (emit.type(holds).lanes > 1) {
        mask_ = mask_ == no_value ? holds : emit.apply(Operation::bit_and, {mask_, holds});
        only_limit_ = false;
    }
    ValueId result = value(inside.node, inside.at);
    mask_ = mask;
    only_limit_ = only_limit;
    ValueId otherwise = emit.number(view.otherwise, {emit.type(result).dtype, emit.type(result).lanes});
    if (emit.type(holds).lanes == 1)
        return emit.define(Operation::select, emit.type(result), {holds, result, otherwise});
    return emit.apply(Operation::select, {holds, result, otherwise});
}

ValueId Values::guarded(const Guard& guard) {
    Linear where = linear(guard.index);
    bool along = where.lane_stride != 0 || where.vector != no_value;
    ValueId number = along ? vector_of(where) : sum_of(where.scalar);
    ValueType type = emit.type(number);
    auto [low, high] = indices_.range(guard.index);
    ValueId holds = no_value;
    if (low < 0) holds = emit.compare(Operation::less_equal, emit.integer(0, type), number);
    if (high >= guard.size) {
        ValueId below = emit.compare(Operation::less, number, emit.integer(guard.size, type));
        holds = holds == no_value ? below : emit.apply(Operation::bit_and, {holds, below});
    }
    return holds == no_value ? emit.number(1, {Dtype::boolean, type.lanes}) : holds;
}

Values::Linear Values::address(const Storage& place, const Position& at) {
    Linear result = linear(linear_index(place, at, indices_));
    for (auto [depth, stride] : place.iterations)
        result.scalar.terms.push_back({emit.define(Operation::counter, {Dtype::i64, 1}, {}, 0, depth), stride});
    return result;
}

ValueId Values::read(const Storage& place, const Position& at, Dtype dtype) {
    Linear where = address(place, at);
    Dtype stored = dtype == Dtype::boolean ? Dtype::u8 : dtype;
    ValueId result;
    if (where.vector != no_value) {
        int64_t stride = where.lane_stride;
        where.lane_stride = 0;
        ValueId lanes = where.vector;
        if (stride != 0) {
            Linear numbers;
            numbers.lane_stride = stride;
            lanes = emit.apply(Operation::add, {lanes, vector_of(numbers)});
        }
        result = emit.load(place.buffer, stored, lanes_, where.scalar, 1, mask_, lanes);
    } else if (where.lane_stride != 0) {
        bool overrun = only_limit_ && where.lane_stride == 1 && lanes_ * bytes(stored) <= 64;
        result = emit.load(place.buffer, stored, lanes_, where.scalar, where.lane_stride, overrun ? no_value : mask_,
                           no_value, overrun ? mask_ : no_value);
    } else {
        result = emit.load(place.buffer, stored, 1, where.scalar);
    }
    if (stored != Dtype::u8) return result;
    result = emit.convert(result, Dtype::i32);
    return dtype == Dtype::u8 ? result : cast(emit, result, Dtype::i32, Dtype::boolean);
}

void Values::write(const Storage& place, const Position& at, ValueId value, Dtype dtype) {
    Linear where = address(place, at);
    check(where.vector == no_value, "lower", "a store to scattered lanes");
    if (dtype == Dtype::u8 || dtype == Dtype::boolean) value = emit.convert(value, Dtype::u8);
    if (where.lane_stride == 0) {
        check(emit.type(value).lanes == 1, "lower", "a vector is stored in one place");
        return emit.store(place.buffer, where.scalar, value);
    }
    emit.store(place.buffer, where.scalar, emit.widened(value, lanes_), where.lane_stride, mask_);
}

void Values::prefetch(const Storage& place, const Position& at) {
    Linear where = address(place, at);
    if (where.vector == no_value && where.lane_stride == 1) emit.prefetch(place.buffer, where.scalar, true);
}

void Values::prefetch(const View& view) {
    const auto& place = around_.program.places[index(view.node)];
    if (!view.guards.empty() || !place) return;
    Linear where = address(*place, view.at);
    if (where.vector == no_value) emit.prefetch(place->buffer, where.scalar, false);
}

// ---- reductions inside a position ---------------------------------------------------------------------

ValueId Values::start(const Reduction& reduction, Dtype dtype, int lanes) {
    ValueType type{register_element(dtype), lanes};
    if (!reduction.largest) return emit.number(0, type);
    if (floating(type.dtype)) return emit.number(-std::numeric_limits<double>::infinity(), type);
    if (type.dtype == Dtype::boolean) return emit.number(0, type);
    return emit.integer(type.dtype == Dtype::i64 ? INT64_MIN : INT32_MIN, type);
}

ValueId Values::accumulated(const Reduction& reduction, ValueId sum) {
    ValueType type = emit.type(sum);
    std::vector<ValueId> factors;
    for (const View& factor : reduction.factors) factors.push_back(emit.widened(of_view(factor), type.lanes));
    if (reduction.largest) return largest(emit, sum, factors[0]);
    if (factors.size() == 1) return emit.apply(Operation::add, {sum, factors[0]});
    return with_product(sum, factors[0], factors[1]);
}

ValueId Values::with_product(ValueId sum, ValueId a, ValueId b) {
    ValueType type = emit.type(sum);
    a = emit.widened(a, type.lanes), b = emit.widened(b, type.lanes);
    if (around_.machine.fused && floating(type.dtype)) return emit.apply(Operation::fma, {a, b, sum});
    return emit.apply(Operation::add, {sum, emit.apply(Operation::multiply, {a, b})});
}

ValueId Values::nested(NodeId id, const Position& at) {
    Shape sizes = reduced_sizes(graph_, id);
    Position reduced = fresh_axes(sizes, indices_);
    Reduction whole = reduction(graph_, id, at, reduced, indices_);
    return nested_loops(whole, reduced, start(whole, graph_.type(id).dtype, varies(at) ? lanes_ : 1));
}

ValueId Values::nested_loops(const Reduction& whole, const Position& reduced, ValueId sum) {
    std::vector<ValueId> sums{sum};
    int opened = 0;
    for (size_t i = 0; i < whole.sizes.size(); ++i) {
        if (reduced[i].is_constant()) continue;
        ValueId end =
            whole.sizes[i] == rows ? emit.define(Operation::row_count, {Dtype::i64, 1}) : emit.integer(whole.sizes[i]);
        auto [counter, inside] = emit.open_loop(emit.integer(0), end, 1, whole.sizes[i] == rows ? "n" : "k", sums);
        bind(reduced[i], counter, false);
        sums = inside;
        ++opened;
    }
    sums = {accumulated(whole, sums[0])};
    for (; opened > 0; --opened) sums = emit.close_loop(sums);
    return sums[0];
}

} // namespace gradc
