// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Symbolic indices as machine values: a scalar address, a stride over the lanes, and for all else a vector of offsets.
#include "compiler/program/values.h"
#include "compiler/util/check.h"

namespace gradc {

using loop::no_value;
using loop::Operation;
using loop::ValueId;
using loop::ValueType;

void Values::bind(const Index& axis, ValueId counter, bool vector, bool aligned) {
    if (axis.is_constant()) return;
    check(axis.terms.size() == 1 && axis.terms[0].second == 1 && axis.constant == 0, "lower", "not an axis");
    bound_[axis.terms[0].first] = {counter, vector, aligned};
}

bool Values::varies(const Index& index) {
    for (auto [id, coefficient] : index.terms) {
        const Symbol& symbol = indices_[id];
        switch (symbol.kind) {
        case Symbol::Kind::axis:
            if (bound_.at(id).vector) return true;
            break;
        case Symbol::Kind::iteration: break;
        case Symbol::Kind::looked_up:
            if (varies(symbol.at)) return true;
            break;
        case Symbol::Kind::quotient:
            if (varies(symbol.of) && !lanes_stay_together(symbol.of, symbol.divisor)) return true;
            break;
        default:
            if (varies(symbol.of)) return true;
        }
    }
    return false;
}

bool Values::varies(const Position& at) {
    for (const Index& index : at)
        if (varies(index)) return true;
    return false;
}

Values::Linear Values::linear(const Index& index) {
    Linear sum;
    sum.scalar.constant = index.constant;
    for (auto [symbol, coefficient] : index.terms) add_symbol(sum, symbol, coefficient);
    return sum;
}

bool Values::is_scalar(const Index& index) {
    if (!varies(index)) return true;
    Linear where = linear(index);
    return where.lane_stride == 0 && where.vector == no_value;
}

void Values::add_vector(Linear& sum, ValueId vector, int64_t coefficient) {
    if (coefficient != 1)
        vector = emit.apply(Operation::multiply, {vector, emit.integer(coefficient, emit.type(vector))});
    sum.vector = sum.vector == no_value ? vector : emit.apply(Operation::add, {sum.vector, vector});
}

void Values::add_symbol(Linear& sum, SymbolId id, int64_t coefficient) {
    const Symbol symbol = indices_[id];
    switch (symbol.kind) {
    case Symbol::Kind::axis: {
        auto found = bound_.find(id);
        check(found != bound_.end(), "lower", "an axis has no counter");
        sum.scalar.terms.push_back({found->second.counter, coefficient});
        if (found->second.vector) sum.lane_stride += coefficient;
        return;
    }
    case Symbol::Kind::iteration:
        sum.scalar.terms.push_back(
            {emit.define(Operation::counter, {Dtype::i64, 1}, {}, 0, symbol.divisor), coefficient});
        return;
    case Symbol::Kind::looked_up: {
        ValueId number = value(symbol.node, symbol.at);
        if (emit.type(number).lanes == 1) sum.scalar.terms.push_back({emit.convert(number, Dtype::i64), coefficient});
        else add_vector(sum, emit.convert(number, Dtype::i32), coefficient);
        return;
    }
    case Symbol::Kind::clamped: {
        ValueId number = scalar(symbol.of);
        number = emit.apply(Operation::maximum, {number, emit.integer(0)});
        number = emit.apply(Operation::minimum, {number, emit.integer(symbol.size - 1)});
        sum.scalar.terms.push_back({number, coefficient});
        return;
    }
    default: add_divided(sum, symbol, coefficient);
    }
}

/// Whole vectors have the same quotient: the counter starts at a multiple of the lanes, and so does the divisor.
bool Values::lanes_stay_together(const Index& of, int64_t divisor) {
    if (divisor % lanes_ != 0 || of.constant % lanes_ != 0) return false;
    for (auto [id, coefficient] : of.terms) {
        auto found = bound_.find(id);
        bool vector = found != bound_.end() && found->second.vector;
        if (vector ? coefficient != 1 || !found->second.aligned : coefficient % lanes_ != 0) return false;
        if (!vector && varies(Index{0, {{id, 1}}})) return false;
    }
    return true;
}

void Values::add_divided(Linear& sum, const Symbol& symbol, int64_t coefficient) {
    bool quotient = symbol.kind == Symbol::Kind::quotient;
    Operation operation = quotient ? Operation::quotient : Operation::remainder;
    Linear of = linear(symbol.of);
    bool together = of.vector == no_value && (of.lane_stride == 0 || lanes_stay_together(symbol.of, symbol.divisor));
    if (together) {
        ValueId number = emit.apply(operation, {sum_of(of.scalar), emit.integer(symbol.divisor)});
        sum.scalar.terms.push_back({number, coefficient});
        if (!quotient) sum.lane_stride += coefficient * of.lane_stride;
        return;
    }
    ValueId number = vector_of(of);
    add_vector(sum, emit.apply(operation, {number, emit.integer(symbol.divisor, emit.type(number))}), coefficient);
}

ValueId Values::sum_of(const loop::Affine& affine) {
    ValueId sum = no_value;
    for (auto [term, coefficient] : affine.terms) {
        ValueId part = coefficient == 1 ? term : emit.apply(Operation::multiply, {term, emit.integer(coefficient)});
        sum = sum == no_value ? part : emit.apply(Operation::add, {sum, part});
    }
    if (sum == no_value) return emit.integer(affine.constant);
    return affine.constant == 0 ? sum : emit.apply(Operation::add, {sum, emit.integer(affine.constant)});
}

ValueId Values::vector_of(const Linear& linear) {
    ValueType type{Dtype::i32, lanes_};
    ValueId sum = emit.widened(emit.convert(sum_of(linear.scalar), Dtype::i32), lanes_);
    if (linear.lane_stride != 0) {
        ValueId numbers = emit.define(Operation::lane_numbers, type);
        if (linear.lane_stride != 1)
            numbers = emit.apply(Operation::multiply, {numbers, emit.integer(linear.lane_stride, type)});
        sum = emit.apply(Operation::add, {sum, numbers});
    }
    return linear.vector == no_value ? sum : emit.apply(Operation::add, {sum, linear.vector});
}

ValueId Values::scalar(const Index& index) {
    Linear where = linear(index);
    check(where.lane_stride == 0 && where.vector == no_value, "lower", "an index differs between lanes");
    return sum_of(where.scalar);
}

} // namespace gradc
