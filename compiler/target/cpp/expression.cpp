// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations as expressions. Integer arithmetic that may wrap calls functions of the prelude, since signed overflow is
// undefined in C++. Indices never wrap and use plain operators.
#include "compiler/program/code.h"
#include "compiler/target/cpp/kernel.h"
#include "compiler/util/check.h"
#include <fmt/format.h>

namespace gradc::target {

using namespace loop;

namespace {
int bytes_of(ValueType type) { return lane_bytes(lane_of(type.dtype)); }
} // namespace

void CppKernel::merge(Expression& into, const Expression& from) {
    into.changing.insert(into.changing.end(), from.changing.begin(), from.changing.end());
}

VectorType CppKernel::vector_of(ValueId id) const {
    ValueType type = type_of(id);
    if (type.dtype != Dtype::boolean) return {lane_of(type.dtype), type.lanes};
    return {mask_lane(mask_bytes(id)), type.lanes};
}

CppKernel::Expression CppKernel::operand(ValueId id, int least) const {
    Expression result = values_[id];
    check(result.known, "cpp", "a value is used before it is written");
    if (result.level < least) result.text = "(" + result.text + ")";
    result.level = std::max(result.level, int(primary));
    return result;
}

/// As an argument of a call, where the type decides which function is meant.
std::string CppKernel::argument(ValueId id) {
    const Expression& value = values_[id];
    check(value.known, "cpp", "a value is used before it is written");
    const Define* define = definition(id);
    ValueType type = type_of(id);
    if (value.scalar_literal) {
        if (type.dtype == Dtype::boolean) return mask(id, mask_bytes(id));
        return fmt::format("{}({})", prelude_.splat(vector_of(id)), value.text);
    }
    if (type == ValueType{Dtype::i64, 1} && value.text.find_first_not_of("-0123456789") == std::string::npos)
        return value.text + "L"; // a literal, or the sum of one and zero
    if (define && define->operation == Operation::literal && type.lanes == 1) {
        if (type.dtype == Dtype::u8) return fmt::format("uint8_t({})", value.text);
    } else if (type.dtype == Dtype::i64 && type.lanes == 1 && value.level < primary) {
        bool typed =
            value.level > ternary && value.text.find_first_of("abcdefghijklmnopqrstuvwxyz") < value.text.size();
        if (!typed) return fmt::format("int64_t({})", value.text); // numbers alone would be int
    }
    return value.text;
}

std::string CppKernel::mask(ValueId id, int bytes) {
    ValueType type = type_of(id);
    if (type.lanes == 1) return operand(id, compare).text;
    VectorType wanted{mask_lane(bytes), type.lanes};
    if (values_[id].scalar_literal)
        return fmt::format("{}({})", prelude_.splat(wanted), values_[id].text == "true" ? -1 : 0);
    if (mask_bytes(id) == bytes) return values_[id].text;
    return fmt::format("__builtin_convertvector({}, {})", values_[id].text, prelude_.type(wanted));
}

CppKernel::Expression CppKernel::call(const std::string& function, const std::vector<ValueId>& operands) {
    Expression result;
    result.text = function + "(";
    for (size_t i = 0; i < operands.size(); ++i) {
        result.text += (i ? ", " : "") + argument(operands[i]);
        merge(result, values_[operands[i]]);
    }
    result.text += ")";
    return result;
}

CppKernel::Expression CppKernel::binary(const char* sign, int level, ValueId a, ValueId b) {
    int left_least = level, right_least = level + 1;
    if (level <= shift && level != compare) left_least = right_least = unary; // compilers warn about a + b << c
    if (level == compare) left_least = right_least = sum;
    bool added_zero = level == sum && index_[a] && index_[b] && type_of(b).dtype == Dtype::i64;
    if (added_zero && values_[b].text == "0") return values_[a];
    if (added_zero && sign[0] == '+' && values_[a].text == "0") return values_[b];
    Expression left = operand(a, left_least), right = operand(b, right_least), result;
    if (left.scalar_literal && right.scalar_literal) left.text = argument(a);
    result.text = fmt::format("{} {} {}", left.text, sign, right.text);
    result.level = level;
    merge(result, left);
    merge(result, right);
    return result;
}

CppKernel::Expression CppKernel::literal(const Define& define) {
    ValueType type = type_of(define.result);
    Expression result;
    if (type.dtype == Dtype::boolean) result.text = define.number != 0 ? "true" : "false";
    else if (floating(type.dtype)) result.text = number(define.number, type.dtype);
    else if (define.operation == Operation::stream && kernel_.takes_arguments) {
        parameters_.insert("arguments");
        result.text = fmt::format("int32_t(arguments[{}])", arguments_.size() + size_t(define.integer));
    } else if (define.operation == Operation::stream)
        result.text = integer_number(stream_half(kernel_, define), type.dtype);
    else result.text = integer_number(define.integer, type.dtype);
    result.level = result.text[0] == '-' ? int(unary) : int(primary);
    result.scalar_literal = type.lanes > 1;
    return result;
}

CppKernel::Expression CppKernel::expression(const Define& define) {
    switch (define.operation) {
    case Operation::literal:
    case Operation::stream: return literal(define);
    case Operation::lane_numbers: return {prelude_.lanes(vector_of(define.result)) + "()"};
    case Operation::row_count: parameters_.insert("sizes"); return {"sizes[0]"};
    case Operation::counter: parameters_.insert("sizes"); return {fmt::format("sizes[{}]", 1 + define.integer)};
    case Operation::range_begin: parameters_.insert("begin"); return {"begin"};
    case Operation::range_end: parameters_.insert("end"); return {"end"};
    case Operation::less:
    case Operation::less_equal:
    case Operation::equal:
    case Operation::unordered: return comparison(define);
    case Operation::select: return selection(define);
    case Operation::bit_and:
    case Operation::bit_or:
    case Operation::bit_xor:
    case Operation::bit_not: return bit_operation(define);
    case Operation::convert:
    case Operation::reinterpret: return conversion(define);
    case Operation::splat:
    case Operation::extract:
    case Operation::reduce_add:
    case Operation::reduce_max:
    case Operation::reduce_min:
    case Operation::lane_mask: return lane_operation(define);
    default: return arithmetic(define);
    }
}

CppKernel::Expression CppKernel::arithmetic(const Define& define) {
    const std::vector<ValueId>& operands = define.operands;
    VectorType type = vector_of(define.result);
    switch (define.operation) {
    case Operation::minimum: return call(prelude_.extremum(type, true), operands);
    case Operation::maximum: return call(prelude_.extremum(type, false), operands);
    case Operation::abs: return call(prelude_.abs(type), operands);
    case Operation::fma: return call(prelude_.fma(type), operands);
    case Operation::sqrt: return call(prelude_.root(type), operands);
    case Operation::floor: return call(prelude_.floor(type), operands);
    default: break;
    }
    bool plain = type.lane == Lane::f32 || type.lane == Lane::f64 || index_[define.result];
    if (!plain) return integer_arithmetic(define);
    switch (define.operation) {
    case Operation::add: return binary("+", sum, operands[0], operands[1]);
    case Operation::subtract: return binary("-", sum, operands[0], operands[1]);
    case Operation::multiply: return binary("*", product, operands[0], operands[1]);
    case Operation::divide: return binary("/", product, operands[0], operands[1]);
    case Operation::negate: {
        Expression result = operand(operands[0], primary);
        if (result.scalar_literal) result.text = argument(operands[0]);
        return {"-" + result.text, unary, false, false, result.changing};
    }
    default: return integer_arithmetic(define);
    }
}

CppKernel::Expression CppKernel::integer_arithmetic(const Define& define) {
    const std::vector<ValueId>& operands = define.operands;
    VectorType type = vector_of(define.result);
    switch (define.operation) {
    case Operation::add: return call(prelude_.wrapping(type, "plus"), operands);
    case Operation::subtract: return call(prelude_.wrapping(type, "minus"), operands);
    case Operation::multiply: return call(prelude_.wrapping(type, "times"), operands);
    case Operation::multiply_high: return call(prelude_.wrapping(type, "times_high"), operands);
    case Operation::shift_left: return call(prelude_.wrapping(type, "left"), operands);
    case Operation::shift_right_logical: return call(prelude_.wrapping(type, "right_unsigned"), operands);
    case Operation::shift_right: return binary(">>", shift, operands[0], operands[1]);
    case Operation::quotient: return call(prelude_.rounded_down(type, "quotient"), operands);
    case Operation::remainder: return call(prelude_.rounded_down(type, "remainder_of"), operands);
    case Operation::negate: {
        Expression result = call(prelude_.wrapping(type, "minus"), operands);
        std::string zero = type.lanes > 1 ? prelude_.splat(type) + "(0)" : fmt::format("{}(0)", scalar_name(type.lane));
        result.text.insert(result.text.find('(') + 1, zero + ", ");
        return result;
    }
    default: throw InternalError("cpp", "an operation fits no type");
    }
}

CppKernel::Expression CppKernel::comparison(const Define& define) {
    ValueId a = define.operands[0], b = define.operands[1];
    if (type_of(a).dtype == Dtype::boolean && type_of(a).lanes > 1) {
        int bytes = mask_bytes(define.result);
        bool less = define.operation == Operation::less, equal = define.operation == Operation::equal;
        std::string left = "(" + mask(a, bytes) + ")", right = "(" + mask(b, bytes) + ")";
        Expression result{equal  ? fmt::format("~({} ^ {})", left, right)
                          : less ? fmt::format("~{} & {}", left, right)
                                 : fmt::format("~{} | {}", left, right),
                          equal ? int(unary) : int(bits)};
        merge(result, values_[a]);
        merge(result, values_[b]);
        return result;
    }
    switch (define.operation) {
    case Operation::less: return binary("<", compare, a, b);
    case Operation::less_equal: return binary("<=", compare, a, b);
    case Operation::equal: return binary("==", compare, a, b);
    default: break;
    }
    Expression left = operand(a, sum), right = operand(b, sum), result;
    if (left.scalar_literal) left.text = argument(a);
    if (right.scalar_literal) right.text = argument(b);
    // a number differs from itself only when it is NaN
    if (a == b || values_[a].text == values_[b].text) result = {fmt::format("{0} != {0}", left.text), compare};
    else if (type_of(a).lanes == 1) result = {fmt::format("__builtin_isunordered({}, {})", left.text, right.text)};
    else result = {fmt::format("({0} != {0}) | ({1} != {1})", left.text, right.text), bits};
    merge(result, left);
    merge(result, right);
    return result;
}

CppKernel::Expression CppKernel::selection(const Define& define) {
    const std::vector<ValueId>& operands = define.operands;
    ValueType result_type = type_of(define.result);
    bool masks = result_type.dtype == Dtype::boolean;
    int bytes = masks ? mask_bytes(define.result) : bytes_of(result_type);
    Expression result;
    auto side = [&](ValueId id) {
        std::string text = masks ? mask(id, bytes) : argument(id);
        return values_[id].level <= ternary ? "(" + text + ")" : text;
    };
    std::string condition = mask(operands[0], bytes);
    if (condition == values_[operands[0]].text && values_[operands[0]].level <= bits) condition = "(" + condition + ")";
    result.text = fmt::format("{} ? {} : {}", condition, side(operands[1]), side(operands[2]));
    result.level = ternary;
    for (ValueId id : operands) merge(result, values_[id]);
    return result;
}

CppKernel::Expression CppKernel::bit_operation(const Define& define) {
    const std::vector<ValueId>& operands = define.operands;
    ValueType type = type_of(define.result);
    bool truth = type.dtype == Dtype::boolean, single = truth && type.lanes == 1;
    if (define.operation == Operation::bit_not) {
        Expression value = operand(operands[0], primary);
        if (truth && !single && mask_bytes(operands[0]) != mask_bytes(define.result))
            value.text = mask(operands[0], mask_bytes(define.result));
        else if (value.scalar_literal) value.text = argument(operands[0]);
        return {(single ? "!" : "~") + value.text, unary, false, false, value.changing};
    }
    bool both = define.operation == Operation::bit_and, either = define.operation == Operation::bit_or;
    if (single) {
        Expression left = operand(operands[0], compare), right = operand(operands[1], compare);
        if (!both && !either) left = operand(operands[0], primary), right = operand(operands[1], primary);
        Expression result{fmt::format("{} {} {}", left.text, both ? "&&" : either ? "||" : "!=", right.text), bits};
        merge(result, left);
        merge(result, right);
        return result;
    }
    const char* sign = both ? "&" : either ? "|" : "^";
    if (!truth) return binary(sign, bits, operands[0], operands[1]);
    int bytes = mask_bytes(define.result);
    auto side = [&](ValueId id) {
        std::string text = mask(id, bytes);
        return values_[id].level < unary ? "(" + text + ")" : text;
    };
    Expression result{fmt::format("{} {} {}", side(operands[0]), sign, side(operands[1])), bits};
    for (ValueId id : operands) merge(result, values_[id]);
    return result;
}

CppKernel::Expression CppKernel::lane_operation(const Define& define) {
    ValueId from = define.operands[0];
    VectorType type = vector_of(define.result);
    switch (define.operation) {
    case Operation::splat: {
        const Define* source = definition(from);
        if (type_of(define.result).lanes == 1) return values_[from];
        if (type_of(from).dtype == Dtype::boolean) {
            Expression result{fmt::format("{}({} ? -1 : 0)", prelude_.splat(type), operand(from, compare).text)};
            merge(result, values_[from]);
            return result;
        }
        if (!source || (source->operation != Operation::literal && source->operation != Operation::stream))
            return call(prelude_.splat(type), define.operands);
        Expression number = values_[from];
        number.scalar_literal = true;
        return number;
    }
    case Operation::extract: {
        Expression vector = operand(from, primary);
        if (vector.scalar_literal || type_of(from).lanes == 1) return values_[from];
        Expression result{fmt::format("{}[{}]", vector.text, define.integer)};
        if (type_of(from).dtype == Dtype::boolean) result = {result.text + " != 0", compare};
        merge(result, vector);
        return result;
    }
    case Operation::lane_mask: {
        if (type_of(define.result).lanes > 1) return call(prelude_.first(type), define.operands);
        Expression count = operand(from, sum);
        return {count.text + " > 0", compare, false, false, count.changing};
    }
    default: break;
    }
    if (type_of(from).lanes == 1) return values_[from];
    const char* what = define.operation == Operation::reduce_add   ? "sum_of"
                       : define.operation == Operation::reduce_max ? "max_of"
                                                                   : "min_of";
    return call(prelude_.reduce(vector_of(from), what), define.operands);
}

CppKernel::Expression CppKernel::conversion(const Define& define) {
    ValueId id = define.operands[0];
    ValueType from = type_of(id), to = type_of(define.result);
    VectorType made = vector_of(define.result);
    bool vector = to.lanes > 1;
    Expression result;
    merge(result, values_[id]);
    std::string text = argument(id);
    auto cast = [&](const std::string& content, Dtype dtype) {
        VectorType type{lane_of(dtype), to.lanes};
        if (!vector) return fmt::format("{}({})", scalar_name(type.lane), content);
        return fmt::format("__builtin_convertvector({}, {})", content, prelude_.type(type));
    };
    if (define.operation == Operation::reinterpret) {
        if (!vector) result.text = fmt::format("{}({})", prelude_.reinterpret(lane_of(from.dtype), made.lane), text);
        else {
            std::string name = prelude_.type(made);
            bool atom = values_[id].level >= unary || values_[id].scalar_literal;
            result.text = atom ? fmt::format("({}){}", name, text) : fmt::format("({})({})", name, text);
            result.level = unary;
        }
        return result;
    }
    if (from.dtype == to.dtype) return values_[id];
    if (from.dtype == Dtype::boolean && vector) {
        std::string condition = mask(id, bytes_of(to));
        if (floating(to.dtype))
            result.text = fmt::format("({}) ? {}({}) : {}({})", condition, prelude_.splat(made), number(1, to.dtype),
                                      prelude_.splat(made), number(0, to.dtype)),
            result.level = ternary;
        else result.text = fmt::format("({})(({}) & 1)", prelude_.type(made), condition), result.level = unary;
        return result;
    }
    if (to.dtype == Dtype::boolean) {
        std::string zero = floating(from.dtype) ? number(0, from.dtype) : "0";
        result.text = fmt::format("{} != {}", operand(id, sum).text, zero), result.level = compare;
        return result;
    }
    if (from.dtype == Dtype::bf16) text = fmt::format("{}({})", prelude_.bf16(to.lanes, false), text);
    Dtype source = from.dtype == Dtype::bf16 ? Dtype::f32 : from.dtype;
    if (source == Dtype::u8 && floating(to.dtype)) text = cast(text, Dtype::i32); // no byte goes to float directly
    if (floating(source) && to.dtype == Dtype::u8) text = cast(text, Dtype::i32);
    if (to.dtype == Dtype::bf16) {
        if (source != Dtype::f32) text = cast(text, Dtype::f32);
        result.text = fmt::format("{}({})", prelude_.bf16(to.lanes, true), text);
        return result;
    }
    result.text = source == to.dtype ? text : cast(text, to.dtype);
    return result;
}

} // namespace gradc::target
