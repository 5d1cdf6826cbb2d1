// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Philox 4x32-10 in vector integers, word for word as compiler/graph/random.h has it.
#include "compiler/program/values.h"

namespace gradc {

using loop::Operation;
using loop::ValueId;

namespace {

ValueId word(Emitter& emit, uint32_t bits) { return emit.integer(int32_t(bits), {Dtype::i32, 1}); }
ValueId low(Emitter& emit, ValueId wide) { return emit.convert(wide, Dtype::i32); }
ValueId high(Emitter& emit, ValueId wide) {
    return low(emit, emit.apply(Operation::shift_right_logical, {wide, emit.integer(32, emit.type(wide))}));
}
ValueId times(Emitter& emit, Operation operation, uint32_t factor, ValueId x) {
    return emit.apply(operation, {emit.widened(word(emit, factor), emit.type(x).lanes), x});
}
ValueId exclusive(Emitter& emit, ValueId a, ValueId b) { return emit.apply(Operation::bit_xor, {a, b}); }

void philox(Emitter& emit, std::array<ValueId, 4>& counter, std::array<ValueId, 2> key) {
    for (int round = 0; round < 10; ++round) {
        ValueId a_high = times(emit, Operation::multiply_high, 0xD2511F53, counter[0]);
        ValueId a_low = times(emit, Operation::multiply, 0xD2511F53, counter[0]);
        ValueId b_high = times(emit, Operation::multiply_high, 0xCD9E8D57, counter[2]);
        ValueId b_low = times(emit, Operation::multiply, 0xCD9E8D57, counter[2]);
        counter = {exclusive(emit, exclusive(emit, b_high, counter[1]), key[0]), b_low,
                   exclusive(emit, exclusive(emit, a_high, counter[3]), key[1]), a_low};
        key[0] = emit.apply(Operation::add, {key[0], word(emit, 0x9E3779B9)});
        key[1] = emit.apply(Operation::add, {key[1], word(emit, 0xBB67AE85)});
    }
}

} // namespace

ValueId Values::random(NodeId id, const Position& at) {
    const Node& node = graph_[id];
    bool by_row = node.inputs.size() == 3;
    uint64_t stream = attribute<Random>(node).stream;
    Index where;
    auto strides = dense_strides(node.type.shape, around_.plan.batch);
    for (size_t i = by_row; i < at.size(); ++i) where = indices_.sum(where, indices_.scaled(at[i], strides[i]));
    Linear linear_place = linear(where);
    ValueId place = varies(where) ? vector_of(linear_place) : low(emit, sum_of(linear_place.scalar));
    ValueId row = by_row ? low(emit, value(node.inputs[2], {at[0]})) : word(emit, 0);
    ValueId seed = emit.convert(value(node.inputs[0], {}), Dtype::i64);
    ValueId step = emit.convert(value(node.inputs[1], {}), Dtype::i64);
    ValueId low_step = low(emit, step), upper = emit.stream(stream, true);
    std::array<ValueId, 4> words{place, row, low_step, exclusive(emit, high(emit, seed), upper)};
    std::array<ValueId, 2> key{low(emit, seed), emit.stream(stream, false)};
    const std::vector<ValueId> arguments{words[0], words[1], words[2], words[3], key[0], key[1]};
    auto noted = [&](ValueId result) {
        emit.note_call(result, "philox_uniform", arguments);
        return result;
    };
    philox(emit, words, key);
    if (node.type.dtype != Dtype::f64) {
        ValueId bits = emit.apply(Operation::shift_right_logical, {words[0], emit.integer(8, emit.type(words[0]))});
        ValueId number = emit.convert(bits, Dtype::f32);
        return noted(emit.apply(Operation::multiply, {number, emit.number(0x1p-24, emit.type(number))}));
    }
    auto wide = [&](ValueId x) {
        ValueId y = emit.convert(x, Dtype::i64);
        return emit.apply(Operation::bit_and, {y, emit.integer(0xFFFFFFFF, emit.type(y))});
    };
    ValueId high_word = wide(words[0]), low_word = wide(words[1]);
    ValueId shifted = emit.apply(Operation::shift_left, {high_word, emit.integer(32, emit.type(high_word))});
    ValueId both = emit.apply(Operation::bit_or, {shifted, low_word});
    ValueId bits = emit.apply(Operation::shift_right_logical, {both, emit.integer(11, emit.type(both))});
    ValueId number = emit.convert(bits, Dtype::f64);
    return noted(emit.apply(Operation::multiply, {number, emit.number(0x1p-53, emit.type(number))}));
}

} // namespace gradc
