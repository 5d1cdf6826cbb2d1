// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The scalar primitives, by the C library in double and int64. Maximum and minimum of NaN are NaN, comparisons with NaN
// are false. Integer results wrap to their width.
#include "compiler/graph/value.h"
#include "compiler/util/check.h"
#include <cmath>
#include <cstring>

namespace gradc {

namespace {

template <class To, class From> To bits_of(From from) {
    To to;
    static_assert(sizeof to == sizeof from);
    std::memcpy(&to, &from, sizeof to);
    return to;
}

template <class Out, class In, class F> Value unary(const Type& type, const Value& x, F f) {
    Value result = make_value(type.dtype, type.shape);
    Out* out = result.data<Out>();
    const In* in = x.data<In>();
    walk<2>(type.shape, {&result.strides, &x.strides})([&](int64_t n, auto at, auto step) {
        for (int64_t i = 0; i < n; ++i) out[at[0] + i * step[0]] = f(in[at[1] + i * step[1]]);
    });
    return result;
}

template <class Out, class In, class F> Value binary(const Type& type, const Value& x, const Value& y, F f) {
    Value result = make_value(type.dtype, type.shape);
    Out* out = result.data<Out>();
    const In *a = x.data<In>(), *b = y.data<In>();
    walk<3>(type.shape, {&result.strides, &x.strides, &y.strides})([&](int64_t n, auto at, auto step) {
        for (int64_t i = 0; i < n; ++i) out[at[0] + i * step[0]] = f(a[at[1] + i * step[1]], b[at[2] + i * step[2]]);
    });
    return result;
}

template <class First, class In, class F>
Value ternary(const Type& type, const Value& x, const Value& y, const Value& z, F f) {
    Value result = make_value(type.dtype, type.shape);
    In* out = result.data<In>();
    const First* a = x.data<First>();
    const In *b = y.data<In>(), *c = z.data<In>();
    walk<4>(type.shape, {&result.strides, &x.strides, &y.strides, &z.strides})([&](int64_t n, auto at, auto step) {
        for (int64_t i = 0; i < n; ++i)
            out[at[0] + i * step[0]] = f(a[at[1] + i * step[1]], b[at[2] + i * step[2]], c[at[3] + i * step[3]]);
    });
    return result;
}

int64_t floor_quotient(int64_t a, int64_t b) {
    check(b != 0, "evaluate", "division of whole numbers by zero");
    if (b == -1) return int64_t(0 - uint64_t(a));
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

/// The remainder takes the divisor's sign; it is exact, as a - b * floor(a / b) in double is not.
double floor_remainder(double a, double b) {
    double r = std::fmod(a, b);
    if (r != 0 && (r < 0) != (b < 0)) r += b;
    return r == 0 ? std::copysign(0.0, b) : r;
}

int64_t integer_arithmetic(Primitive primitive, int64_t a, int64_t b) {
    uint64_t x = uint64_t(a), y = uint64_t(b);
    switch (primitive) {
    case Primitive::add: return int64_t(x + y);
    case Primitive::subtract: return int64_t(x - y);
    case Primitive::multiply: return int64_t(x * y);
    case Primitive::maximum: return a > b ? a : b;
    case Primitive::minimum: return a < b ? a : b;
    case Primitive::remainder: return int64_t(x - y * uint64_t(floor_quotient(a, b)));
    case Primitive::quotient: return floor_quotient(a, b);
    case Primitive::bit_and:
    case Primitive::logical_and: return a & b;
    case Primitive::bit_or:
    case Primitive::logical_or: return a | b;
    case Primitive::bit_xor: return a ^ b;
    case Primitive::shift_left: return int64_t(x << (y & 63));
    case Primitive::shift_right: return a >> (b & 63);
    default: throw InternalError("evaluate", "no whole arithmetic of this name");
    }
}

int64_t compare(Primitive primitive, auto a, auto b) {
    return primitive == Primitive::less ? a < b : primitive == Primitive::equal ? a == b : a <= b;
}

Value real_binary(Primitive primitive, const Type& type, const Value& x, const Value& y) {
    auto with = [&](auto f) { return binary<double, double>(type, x, y, f); };
    switch (primitive) {
    case Primitive::add: return with([](double a, double b) { return a + b; });
    case Primitive::subtract: return with([](double a, double b) { return a - b; });
    case Primitive::multiply: return with([](double a, double b) { return a * b; });
    case Primitive::divide: return with([](double a, double b) { return a / b; });
    case Primitive::maximum: return with([](double a, double b) { return a > b || std::isnan(a) ? a : b; });
    case Primitive::minimum: return with([](double a, double b) { return a < b || std::isnan(a) ? a : b; });
    case Primitive::remainder: return with(floor_remainder);
    case Primitive::quotient: return with([](double a, double b) { return std::floor(a / b); });
    default: throw InternalError("evaluate", "no arithmetic of this name");
    }
}

using Unary = double (*)(double);
using Binary = double (*)(double, double);

/// The C function of a declared primitive; nullptr if there is none.
Unary unary_function(std::string_view name) {
    static const std::unordered_map<std::string_view, Unary> functions = {
        {"exp", std::exp},     {"log", std::log},         {"sin", std::sin},      {"cos", std::cos},
        {"tan", std::tan},     {"tanh", std::tanh},       {"sinh", std::sinh},    {"cosh", std::cosh},
        {"asin", std::asin},   {"acos", std::acos},       {"atan", std::atan},    {"erf", std::erf},
        {"erfc", std::erfc},   {"expm1", std::expm1},     {"log1p", std::log1p},  {"exp2", std::exp2},
        {"log2", std::log2},   {"log10", std::log10},     {"cbrt", std::cbrt},    {"ceil", std::ceil},
        {"trunc", std::trunc}, {"round", std::nearbyint}, {"lgamma", std::lgamma}};
    auto found = functions.find(name);
    return found == functions.end() ? nullptr : found->second;
}

Binary binary_function(std::string_view name) {
    static const std::unordered_map<std::string_view, Binary> functions = {
        {"pow", std::pow}, {"power", std::pow}, {"atan2", std::atan2}, {"hypot", std::hypot}};
    auto found = functions.find(name);
    return found == functions.end() ? nullptr : found->second;
}

Value declared(std::string_view name, const Type& type, const std::vector<Value>& x) {
    check(has_meaning(name, int(x.size())), "evaluate", "no C function computes the primitive " + std::string(name));
    if (x.size() == 1) return unary<double, double>(type, x[0], unary_function(name));
    return binary<double, double>(type, x[0], x[1], binary_function(name));
}

Value compute_bits(Primitive primitive, const Type& type, const Value& x) {
    if (primitive == Primitive::bits && x.dtype == Dtype::f32)
        return unary<int64_t, double>(type, x, [](double a) { return bits_of<int32_t>(float(a)); });
    if (primitive == Primitive::bits)
        return unary<int64_t, double>(type, x, [](double a) { return bits_of<int64_t>(a); });
    if (x.dtype == Dtype::i32)
        return unary<double, int64_t>(type, x, [](int64_t a) { return bits_of<float>(int32_t(a)); });
    return unary<double, int64_t>(type, x, [](int64_t a) { return bits_of<double>(a); });
}

Value compute_unary(Primitive primitive, const Type& type, const Value& x) {
    Dtype e = type.dtype;
    switch (primitive) {
    case Primitive::logical_not: return unary<int64_t, int64_t>(type, x, [](int64_t a) { return !a; });
    case Primitive::sqrt: return unary<double, double>(type, x, [](double a) { return std::sqrt(a); });
    case Primitive::floor: return unary<double, double>(type, x, [](double a) { return std::floor(a); });
    case Primitive::negate:
        if (floating(e)) return unary<double, double>(type, x, [](double a) { return -a; });
        return unary<int64_t, int64_t>(type, x, [e](int64_t a) { return wrapped(e, int64_t(0 - uint64_t(a))); });
    default: // absolute
        if (floating(e)) return unary<double, double>(type, x, [](double a) { return std::fabs(a); });
        return unary<int64_t, int64_t>(type, x,
                                       [e](int64_t a) { return wrapped(e, a < 0 ? int64_t(0 - uint64_t(a)) : a); });
    }
}

} // namespace

bool has_meaning(std::string_view name, int arity) {
    return (arity == 1 && unary_function(name)) || (arity == 2 && binary_function(name));
}

Value compute_elementwise(const PrimitiveTable& table, const Node& node, const Type& type,
                          const std::vector<Value>& x) {
    Primitive primitive = attribute<Elementwise>(node).primitive;
    switch (primitive) {
    case Primitive::bits:
    case Primitive::from_bits: return compute_bits(primitive, type, x[0]);
    case Primitive::negate:
    case Primitive::abs:
    case Primitive::sqrt:
    case Primitive::floor:
    case Primitive::logical_not: return compute_unary(primitive, type, x[0]);
    case Primitive::less:
    case Primitive::less_equal:
    case Primitive::equal:
        if (floating(x[0].dtype))
            return binary<int64_t, double>(type, x[0], x[1],
                                           [=](double a, double b) { return compare(primitive, a, b); });
        return binary<int64_t, int64_t>(type, x[0], x[1],
                                        [=](int64_t a, int64_t b) { return compare(primitive, a, b); });
    case Primitive::select:
        if (floating(type.dtype))
            return ternary<int64_t, double>(type, x[0], x[1], x[2],
                                            [](int64_t c, double a, double b) { return c ? a : b; });
        return ternary<int64_t, int64_t>(type, x[0], x[1], x[2],
                                         [](int64_t c, int64_t a, int64_t b) { return c ? a : b; });
    case Primitive::fused_multiply_add:
        return ternary<double, double>(type, x[0], x[1], x[2],
                                       [](double a, double b, double c) { return std::fma(a, b, c); });
    default: break;
    }
    if (primitive >= Primitive::first_declared) return declared(table.name(primitive), type, x);
    if (floating(type.dtype)) return real_binary(primitive, type, x[0], x[1]);
    Dtype e = type.dtype;
    return binary<int64_t, int64_t>(
        type, x[0], x[1], [=](int64_t a, int64_t b) { return wrapped(e, integer_arithmetic(primitive, a, b)); });
}

Value compute_cast(const Type& type, const Value& x) {
    Dtype e = type.dtype;
    if (floating(e) && floating(x.dtype)) {
        Value result = x;
        result.dtype = e;
        return result;
    }
    if (floating(e)) return unary<double, int64_t>(type, x, [](int64_t a) { return double(a); });
    if (!floating(x.dtype)) return unary<int64_t, int64_t>(type, x, [e](int64_t a) { return wrapped(e, a); });
    if (e == Dtype::boolean) return unary<int64_t, double>(type, x, [](double a) { return a != 0; });
    return unary<int64_t, double>(type, x, [e](double a) { return wrapped(e, integer_number(a)); });
}

} // namespace gradc
