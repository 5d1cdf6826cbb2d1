// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scalar primitives as operations; what the library declares is expanded from its definition.
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
    if (!floating(emit.type(result).element)) return result;
    return emit.apply(Operation::select, {emit.compare(Operation::unordered, a, a), a, result});
}

/// a - b * floor(a / b), exact for whole numbers; a divisor of zero (in lanes that are off) must not trap.
ValueId whole_division(Emitter& emit, Operation operation, ValueId a, ValueId b) {
    ValueType type = emit.type(b);
    ValueId zero = emit.compare(Operation::equal, b, emit.whole(0, type));
    return emit.apply(operation, {a, emit.apply(Operation::select, {zero, emit.whole(1, type), b})});
}

/// By a division, never a reciprocal: floor would make a whole step of its rounding.
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
        bool narrow = type.element == Element::f32 || type.element == Element::i32;
        Element to = to_bits ? (narrow ? Element::i32 : Element::i64) : (narrow ? Element::f32 : Element::f64);
        return emit.define(Operation::reinterpret, {to, type.lanes}, {x[0]});
    };
    switch (primitive) {
    case Primitive::add: return emit.apply(Operation::add, x);
    case Primitive::subtract: return emit.apply(Operation::subtract, x);
    case Primitive::multiply: return emit.apply(Operation::multiply, x);
    case Primitive::divide: return quotient(emit, x[0], x[1]);
    case Primitive::negate: return emit.apply(Operation::negate, x);
    case Primitive::maximum:
        if (emit.type(x[0]).element == Element::boolean) return emit.apply(Operation::bit_or, x);
        return extreme(emit, Operation::maximum, x[0], x[1]);
    case Primitive::minimum:
        if (emit.type(x[0]).element == Element::boolean) return emit.apply(Operation::bit_and, x);
        return extreme(emit, Operation::minimum, x[0], x[1]);
    case Primitive::absolute: return emit.apply(Operation::absolute, x);
    case Primitive::square_root: return emit.apply(Operation::square_root, x);
    case Primitive::floor: return emit.apply(Operation::floor, x);
    case Primitive::less: return emit.compare(Operation::less, x[0], x[1]);
    case Primitive::less_equal: return emit.compare(Operation::less_equal, x[0], x[1]);
    case Primitive::equal: return emit.compare(Operation::equal, x[0], x[1]);
    case Primitive::select: return emit.apply(Operation::select, x);
    case Primitive::logical_and: return logical(emit, Operation::bit_and, x);
    case Primitive::logical_or: return logical(emit, Operation::bit_or, x);
    case Primitive::logical_not: return logical(emit, Operation::bit_not, x);
    case Primitive::remainder:
        return real ? float_remainder(emit, x[0], x[1]) : whole_division(emit, Operation::remainder, x[0], x[1]);
    case Primitive::quotient:
        return real ? float_quotient(emit, x[0], x[1]) : whole_division(emit, Operation::quotient, x[0], x[1]);
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
            value = emit.number(attribute<Constant>(node).values[0], {register_element(node.type.element), 1});
            break;
        case Op::cast:
            value = cast(emit, operands[0], definition.type(node.inputs[0]).element, node.type.element);
            break;
        case Op::map:
            value = apply_primitive(emit, around, attribute<Map>(node).primitive,
                                    definition.type(node.inputs.back()).element, operands);
            break;
        default:
            check(!operands.empty() && node.type.shape.empty(), "lower", "a definition is not scalar");
            value = operands[0]; // shields, moves of one number
        }
    }
    return values[index(root)];
}

} // namespace

ValueId largest(Emitter& emit, ValueId a, ValueId b) {
    if (emit.type(a).element == Element::boolean) return emit.apply(Operation::bit_or, {a, b});
    return extreme(emit, Operation::maximum, a, b);
}

ValueId apply_primitive(Emitter& emit, const Surroundings& around, Primitive primitive, Element element,
                        const std::vector<ValueId>& operands) {
    const Graph* definition = around.math ? around.math->definition(primitive, element) : nullptr;
    if (definition) return expanded(emit, around, *definition, operands);
    if (primitive >= Primitive::first_declared)
        throw InternalError("lower", "math.grad does not define " +
                                         std::string(around.program.flat.graph.primitives().name(primitive)));
    return machine(emit, around, primitive, floating(element), operands);
}

ValueId cast(Emitter& emit, ValueId value, Element from, Element to) {
    ValueType type = emit.type(value);
    if (to == Element::boolean) {
        if (from == Element::boolean) return value;
        ValueId zero = emit.compare(Operation::equal, value, emit.number(0, type));
        return emit.apply(Operation::bit_not, {zero});
    }
    if (to == Element::u8) {
        value = emit.convert(value, Element::i32);
        return emit.apply(Operation::bit_and, {value, emit.whole(255, emit.type(value))});
    }
    return emit.convert(value, register_element(to));
}

} // namespace gradc
