// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whole vectors run in a loop. The remaining elements are one more vector, with a mask.
#include "compiler/program/loops.h"

namespace gradc {

using loop::no_value;
using loop::Operation;
using loop::ValueId;
using loop::ValueType;

namespace {

ValueId size_of(Emitter& emit, const Axis& axis) {
    if (axis.size != rows) return emit.integer(axis.size);
    ValueId count = emit.define(Operation::row_count, {Dtype::i64, 1});
    return axis.times == 1 ? count : emit.apply(Operation::multiply, {count, emit.integer(axis.times)});
}

/// begin + the largest multiple of the lanes that does not pass end.
ValueId last_full(Values& values, ValueId begin, ValueId end) {
    Emitter& emit = values.emit;
    ValueId lanes = emit.integer(values.lanes());
    ValueId full = emit.apply(Operation::quotient, {emit.apply(Operation::subtract, {end, begin}), lanes});
    return emit.apply(Operation::add, {begin, emit.apply(Operation::multiply, {full, lanes})});
}

Carries run_loop(Values& values, Indices& indices, const Axis& axis, int64_t size, ValueId begin, ValueId end,
                 bool masked, Carries carried, const AxisBody& body) {
    Emitter& emit = values.emit;
    auto [counter, inside] = emit.open_loop(begin, end, axis.vector ? values.lanes() : 1, axis.name, carried);
    Index index = indices.axis(size);
    values.bind(index, counter, axis.vector, axis.aligned);
    if (masked) values.limit(emit.apply(Operation::subtract, {end, counter}));
    Carries next = body(index, inside);
    if (masked) values.unlimited();
    return emit.close_loop(next);
}

} // namespace

Carries run_axis(Values& values, Indices& indices, const Axis& axis, int64_t batch, Carries carried,
                 const AxisBody& body) {
    Emitter& emit = values.emit;
    int64_t size = axis.size == rows ? batch * axis.times : axis.size;
    if (size == 1) return body(Index{}, carried);
    bool whole = axis.begin == no_value;
    ValueId begin = whole ? emit.integer(0) : axis.begin;
    ValueId end = whole ? size_of(emit, axis) : axis.end;
    if (!axis.vector) return run_loop(values, indices, axis, size, begin, end, false, carried, body);
    int64_t lanes = values.lanes();
    if (axis.size != rows && whole) {
        int64_t full = size / lanes * lanes;
        if (full > 0) carried = run_loop(values, indices, axis, size, begin, emit.integer(full), false, carried, body);
        if (full == size) return carried;
        Index index = indices.axis(size);
        values.bind(index, emit.integer(full), true, true);
        values.limit(emit.integer(size - full));
        carried = body(index, carried);
        values.unlimited();
        return carried;
    }
    ValueId full = last_full(values, begin, end);
    carried = run_loop(values, indices, axis, size, begin, full, false, carried, body);
    return run_loop(values, indices, axis, size, full, end, true, carried, body);
}

Carries run_shape(Values& values, Indices& indices, const Shape& shape, int vector, int64_t batch, Carries carried,
                  const std::function<Carries(const Position&, const Carries&)>& body, const std::set<int64_t>& cuts) {
    std::function<Carries(Position, const Carries&)> level = [&](Position at, const Carries& inside) -> Carries {
        size_t depth = at.size();
        if (depth == shape.size()) return body(at, inside);
        Axis axis{shape[depth], 1, int(depth) == vector, std::string(1, char("ijklpqrs"[depth % 8]))};
        int64_t first = 0;
        Carries all = inside;
        auto part = [&](int64_t end) {
            if (end != rows) axis.size = end - first;
            all = run_axis(values, indices, axis, batch, all, [&](const Index& index, const Carries& carries) {
                Position next = at;
                next.push_back(indices.shifted(index, first));
                return level(std::move(next), carries);
            });
            first = end;
        };
        if (axis.vector)
            for (int64_t cut : cuts) part(cut);
        part(shape[depth]);
        return all;
    };
    return level({}, carried);
}

int vector_axis(const Shape& shape, int64_t batch) {
    for (int i = int(shape.size()); i-- > 0;)
        if ((shape[size_t(i)] == rows ? batch : shape[size_t(i)]) > 1) return i;
    return -1;
}

void take_part(Values& values, Axis& axis, int64_t block) {
    Emitter& emit = values.emit;
    axis.begin = emit.define(Operation::range_begin, {Dtype::i64, 1});
    axis.end = emit.define(Operation::range_end, {Dtype::i64, 1});
    if (block == 1) return;
    axis.aligned = block % values.lanes() == 0;
    axis.begin = emit.apply(Operation::multiply, {axis.begin, emit.integer(block)});
    axis.end = emit.apply(Operation::minimum,
                          {emit.apply(Operation::multiply, {axis.end, emit.integer(block)}), size_of(emit, axis)});
}

loop::Extent extent_of(int64_t size, int64_t block, int64_t times) {
    if (size == rows) return {0, times, block};
    return {(size + block - 1) / block, 0, 1};
}

} // namespace gradc
