// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scalar primitives as operations. A primitive that the library defines is expanded from its definition.
#include "compiler/graph/rewrite.h"
#include "compiler/program/values.h"
#include "compiler/util/check.h"

namespace gradc {

using loop::no_value;
using loop::Operation;
using loop::ValueId;
using loop::ValueType;

namespace {

/// NaN in either operand is the result: max(a, b) alone returns b.
ValueId extreme(Emitter& emit, Operation operation, ValueId a, ValueId b) {
    ValueId result = emit.apply(operation, {a, b});
    if (!floating(emit.type(result).dtype)) return result;
    return emit.apply(Operation::select, {emit.compare(Operation::unordered, a, a), a, result});
}

/// a - b * floor(a / b), exact for integers; a divisor of zero in a disabled lane must not trap.
ValueId integer_division(Emitter& emit, Operation operation, ValueId a, ValueId b) {
    ValueType type = emit.type(b);
    ValueId zero = emit.compare(Operation::equal, b, emit.integer(0, type));
    return emit.apply(operation, {a, emit.apply(Operation::select, {zero, emit.integer(1, type), b})});
}

/// By a division, never a reciprocal: a rounding error before floor becomes an error of 1.
ValueId float_quotient(Emitter& emit, ValueId a, ValueId b) {
    return emit.apply(Operation::floor, {emit.apply(Operation::divide, {a, b})});
}

ValueId float_remainder(Emitter& emit, ValueId a, ValueId b) {
    return emit.apply(Operation::subtract, {a, emit.apply(Operation::multiply, {float_quotient(emit, a, b), b})});
}

/// Vectors divided by one number are multiplied by its reciprocal, which is computed once.
ValueId quotient(Emitter& emit, ValueId a, ValueId b) {
    if (emit.type(b).lanes > 1 || emit.type(a).lanes == 1) return emit.apply(Operation::divide, {a, b});
    ValueId reciprocal = emit.apply(Operation::divide, {emit.number(1, emit.type(b)), b});
    return emit.apply(Operation::multiply, {a, reciprocal});
}

ValueId logical(Emitter& emit, Operation operation, const std::vector<ValueId>& x) { return emit.apply(operation, x); }

ValueId machine(Emitter& emit, const Surroundings& around, Primitive primitive, bool real,
                const std::vector<ValueId>& x) {
    auto reinterpreted = [&](bool to_bits) {
        ValueType type = emit.type(x[0]);
        bool narrow = type.dtype == Dtype::f32 || type.dtype == Dtype::i32;
        Dtype to = to_bits ? (narrow ? Dtype::i32 : Dtype::i64) : (narrow ? Dtype::f32 : Dtype::f64);
        return emit.define(Operation::reinterpret, {to, type.lanes}, {x[0]});
    };
    switch (primitive) {
    case Primitive::add: return emit.apply(Operation::add, x);
    case Primitive::subtract: return emit.apply(Operation::subtract, x);
    case Primitive::multiply: return emit.apply(Operation::multiply, x);
    case Primitive::divide: return quotient(emit, x[0], x[1]);
    case Primitive::negate: return emit.apply(Operation::negate, x);
    case Primitive::maximum:
        if (emit.type(x[0]).dtype == Dtype::boolean) return emit.apply(Operation::bit_or, x);
        return extreme(emit, Operation::maximum, x[0], x[1]);
    case Primitive::minimum:
        if (emit.type(x[0]).dtype == Dtype::boolean) return emit.apply(Operation::bit_and, x);
        return extreme(emit, Operation::minimum, x[0], x[1]);
    case Primitive::abs: return emit.apply(Operation::abs, x);
    case Primitive::sqrt: return emit.apply(Operation::sqrt, x);
    case Primitive::floor: return emit.apply(Operation::floor, x);
    case Primitive::less: return emit.compare(Operation::less, x[0], x[1]);
    case Primitive::less_equal: return emit.compare(Operation::less_equal, x[0], x[1]);
    case Primitive::equal: return emit.compare(Operation::equal, x[0], x[1]);
    case Primitive::select: return emit.apply(Operation::select, x);
    case Primitive::logical_and: return logical(emit, Operation::bit_and, x);
    case Primitive::logical_or: return logical(emit, Operation::bit_or, x);
    case Primitive::logical_not: return logical(emit, Operation::bit_not, x);
    case Primitive::remainder:
        return real ? float_remainder(emit, x[0], x[1]) : integer_division(emit, Operation::remainder, x[0], x[1]);
    case Primitive::quotient:
        return real ? float_quotient(emit, x[0], x[1]) : integer_division(emit, Operation::quotient, x[0], x[1]);
    case Primitive::fused_multiply_add:
        if (around.machine.fused) return emit.apply(Operation::fma, x);
        return emit.apply(Operation::add, {emit.apply(Operation::multiply, {x[0], x[1]}), x[2]});
    case Primitive::bits: return reinterpreted(true);
    case Primitive::from_bits: return reinterpreted(false);
    case Primitive::bit_and: return emit.apply(Operation::bit_and, x);
    case Primitive::bit_or: return emit.apply(Operation::bit_or, x);
    case Primitive::bit_xor: return emit.apply(Operation::bit_xor, x);
    case Primitive::shift_left: return emit.apply(Operation::shift_left, x);
    case Primitive::shift_right: return emit.apply(Operation::shift_right, x);
    default: throw InternalError("lower", "no operation for a primitive");
    }
}

ValueId expanded(Emitter& emit, const Surroundings& around, const Graph& definition, const std::vector<ValueId>& x) {
    std::vector<ValueId> values(definition.size(), no_value);
    NodeId root = definition.outputs.at(0).node;
    for (NodeId id : reachable(definition, {root})) {
        const Node& node = definition[id];
        ValueId& value = values[index(id)];
        std::vector<ValueId> operands;
        for (NodeId input : node.inputs) operands.push_back(values[index(input)]);
        switch (node.op) {
        case Op::input: value = x.at(std::stoul(attribute<Input>(node).name)); break;
        case Op::constant:
            value = emit.number(attribute<Constant>(node).values[0], {register_element(node.type.dtype), 1});
            break;
        case Op::cast: value = cast(emit, operands[0], definition.type(node.inputs[0]).dtype, node.type.dtype); break;
        case Op::elementwise:
            value = apply_primitive(emit, around, attribute<Elementwise>(node).primitive,
                                    definition.type(node.inputs.back()).dtype, operands);
            break;
        default:
            check(!operands.empty() && node.type.shape.empty(), "lower", "a definition is not scalar");
            value = operands[0]; // custom_gradients, moves of one number
        }
    }
    return values[index(root)];
}

} // namespace

ValueId largest(Emitter& emit, ValueId a, ValueId b) {
    if (emit.type(a).dtype == Dtype::boolean) return emit.apply(Operation::bit_or, {a, b});
    return extreme(emit, Operation::maximum, a, b);
}

ValueId apply_primitive(Emitter& emit, const Surroundings& around, Primitive primitive, Dtype dtype,
                        const std::vector<ValueId>& operands) {
    const Graph* definition = around.math ? around.math->definition(primitive, dtype) : nullptr;
    const auto& names = around.program.flat.graph.primitives();
    if (definition) {
        ValueId result = expanded(emit, around, *definition, operands);
        emit.note_call(result, std::string(names.name(primitive)), operands);
        return result;
    }
    if (primitive >= Primitive::first_declared)
        throw InternalError("lower", "math.grad does not define " +
                                         std::string(around.program.flat.graph.primitives().name(primitive)));
    ValueId result = machine(emit, around, primitive, floating(dtype), operands);
    bool extremum = primitive == Primitive::maximum || primitive == Primitive::minimum;
    if (extremum && floating(dtype)) emit.note_call(result, primitive == Primitive::maximum ? "max" : "min", operands);
    return result;
}

ValueId cast(Emitter& emit, ValueId value, Dtype from, Dtype to) {
    ValueType type = emit.type(value);
    if (to == Dtype::boolean) {
        if (from == Dtype::boolean) return value;
        ValueId zero = emit.compare(Operation::equal, value, emit.number(0, type));
        return emit.apply(Operation::bit_not, {zero});
    }
    if (to == Dtype::u8) {
        value = emit.convert(value, Dtype::i32);
        return emit.apply(Operation::bit_and, {value, emit.integer(255, emit.type(value))});
    }
    return emit.convert(value, register_element(to));
}

} // namespace gradc
