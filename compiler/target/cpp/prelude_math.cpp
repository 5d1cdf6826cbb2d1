// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic. fma is rounded once where the machine has it, else a product and a sum, as in the
// LLVM backend; what the language rounds once is never contracted, what it rounds twice always is
// (see the pragma in cpp_module.cpp).
#include "compiler/target/cpp/prelude.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradc::target {

namespace {

const char* suffix(Lane lane) { return lane == Lane::f32 ? "f" : ""; }

std::string indices(int begin, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += fmt::format(", {}", begin + i);
    return text;
}

std::string lane_by_lane(VectorType type, const std::string& expression) {
    return fmt::format("for (int i = 0; i < {}; ++i) r[i] = {};", type.lanes, expression);
}

/// gcc's own square root of a register: its generic one may set errno.
std::string gcc_root(VectorType type) {
    int bits = 8 * type.lanes * lane_bytes(type.lane);
    const char* kind = type.lane == Lane::f32 ? "ps" : "pd";
    if (bits == 512) return fmt::format("__builtin_ia32_sqrt{}512_mask(a, a, -1, 4)", kind);
    return fmt::format("__builtin_ia32_sqrt{}{}(a)", kind, bits == 256 ? "256" : "");
}

} // namespace

/// A body that calls clang's builtin; g++ makes one instruction of the loop.
std::vector<std::string> Prelude::each(const std::string& clang, const std::string& lane) const {
    return {"#if defined(__clang__)",
            fmt::format("return {};", clang),
            "#else",
            "V r = {};",
            fmt::format("for (int i = 0; i < lanes<V>; ++i) r[i] = {};", lane),
            "return r;",
            "#endif"};
}

std::string Prelude::fma(VectorType type) {
    this->type(type);
    if (!machine_.has_fma) {
        add("template <class V>", "V fma(const V& a, const V& b, const V& c)",
            {"// This machine rounds twice.", "return a * b + c;"});
        return "fma";
    }
    add("float fma(float a, float b, float c)", {"return __builtin_fmaf(a, b, c);"});
    add("double fma(double a, double b, double c)", {"return __builtin_fma(a, b, c);"});
    if (type.lanes == 1) return "fma";
    lane_types();
    add("template <class V>", "V fma(const V& a, const V& b, const V& c)",
        each("__builtin_elementwise_fma(a, b, c)", "fma(a[i], b[i], c[i])"));
    return "fma";
}

std::string Prelude::root(VectorType type) {
    std::string name = this->type(type), head = fmt::format("{0} root({1} a)", name, taken(type));
    std::vector<std::string> gcc;
    if (type.lanes == 1) {
        VectorType least{type.lane, 16 / lane_bytes(type.lane)};
        std::string ones = this->splat(least);
        gcc = {fmt::format("return __builtin_ia32_sqrt{}({}(a))[0];", type.lane == Lane::f32 ? "ps" : "pd", ones)};
    } else if (full(type) && type.lanes * lane_bytes(type.lane) <= machine_.vector_bytes) {
        gcc = {fmt::format("return {};", gcc_root(type))};
    } else {
        std::string one = root({type.lane, 1});
        gcc = {fmt::format("{} r = {{}};", name), lane_by_lane(type, one + "(a[i])"), "return r;"};
    }
    std::vector<std::string> body{"#if defined(__clang__)", "return __builtin_elementwise_sqrt(a);", "#else"};
    body.insert(body.end(), gcc.begin(), gcc.end());
    body.push_back("#endif");
    add(head, body);
    return "root";
}

/// Baseline has no instruction: adding and subtracting 2^(bits of the mantissa) rounds to a whole
/// number.
std::string Prelude::floor(VectorType type) {
    std::string name = this->type(type), head = fmt::format("{0} floor({1} a)", name, taken(type));
    if (machine_.isa != loop::Isa::baseline) {
        add("float floor(float a)", {"return __builtin_floorf(a);"});
        add("double floor(double a)", {"return __builtin_floor(a);"});
        if (type.lanes == 1) return "floor";
        lane_types();
        add("template <class V>", "V floor(const V& a)", each("__builtin_elementwise_floor(a)", "floor(a[i])"));
        return "floor";
    }
    std::string large = type.lane == Lane::f32 ? "8388608.0f" : "4503599627370496.0";
    std::string zero = type.lane == Lane::f32 ? "0.0f" : "0.0", one = type.lane == Lane::f32 ? "1.0f" : "1.0";
    std::string size = abs(type);
    add(head,
        {fmt::format("const {0} size = {1}(a), near = size + {2} - {2};", name, size, large),
         fmt::format("const {0} nearest = a < {1} ? -near : near;", name, zero),
         fmt::format("const {0} down = nearest > a ? nearest - {1} : nearest;", name, one),
         fmt::format("return size < {0} ? (down == {1} ? a * {1} : down) : a; // zero keeps its sign", large, zero)});
    return "floor";
}

std::string Prelude::abs(VectorType type) {
    std::string name = this->type(type), head = fmt::format("{0} absolute({1} a)", name, taken(type));
    bool floats = type.lane == Lane::f32 || type.lane == Lane::f64;
    if (type.lanes == 1) {
        add(head, {floats ? fmt::format("return __builtin_fabs{}(a);", suffix(type.lane)) : "return a < 0 ? -a : a;"});
    } else if (floats) {
        VectorType bits{type.lane == Lane::f32 ? Lane::i32 : Lane::i64, type.lanes};
        std::string integer = this->type(bits);
        add(head, {fmt::format("return ({})(({})a & {});", name, integer,
                               type.lane == Lane::f32 ? "0x7fffffff" : "0x7fffffffffffffffL")});
    } else {
        add(head, {"return a < 0 ? -a : a;"});
    }
    return "absolute";
}

std::string Prelude::extremum(VectorType type, bool least) {
    std::string name = this->type(type), function = least ? "minimum" : "maximum";
    bool converted = type.lanes == 1 && type.lane != Lane::f32 && type.lane != Lane::f64; // of int and int64_t
    std::string body = fmt::format("return a {} b ? a : b;", least ? '<' : '>');
    if (converted) add(fmt::format("{0} {1}({0} a, {0} b)", name, function), {body});
    else add("template <class V>", fmt::format("V {}(const V& a, const V& b)", function), {body});
    return function;
}

std::string Prelude::reduce(VectorType type, const std::string& what) {
    VectorType half{type.lane, type.lanes / 2};
    std::string name = this->type(type), scalar = scalar_name(type.lane);
    auto join = [&](const std::string& a, const std::string& b) {
        if (what == "sum_of") return fmt::format("{} + {}", a, b);
        return fmt::format("{}({}, {})", extremum(half, what == "min_of"), a, b);
    };
    if (type.lanes == 2) {
        add(fmt::format("{} {}({} v)", scalar, what, taken(type)), {fmt::format("return {};", join("v[0]", "v[1]"))});
        return what;
    }
    std::string inner = reduce(half, what);
    add(fmt::format("{} {}({} v)", scalar, what, taken(type)),
        {fmt::format("return {}({});", inner,
                     join(fmt::format("__builtin_shufflevector(v, v{})", indices(0, half.lanes)),
                          fmt::format("__builtin_shufflevector(v, v{})", indices(half.lanes, half.lanes))))});
    return what;
}

/// Arithmetic modulo 2^bits, which signed types do not promise.
std::string Prelude::wrapping(VectorType type, const std::string& what) {
    VectorType plain{type.lane == Lane::i32 ? Lane::u32 : type.lane == Lane::i64 ? Lane::u64 : type.lane, type.lanes};
    std::string name = this->type(type), bare = this->type(plain);
    std::string head = fmt::format("{0} {1}({2} a, {2} b)", name, what, taken(type));
    if (what == "times_high") {
        if (type.lanes == 1) add(head, {"return int32_t(uint64_t(uint32_t(a)) * uint32_t(b) >> 32);"});
        else
            add(head, {fmt::format("{} r = {{}};", name),
                       lane_by_lane(type, "int32_t(uint64_t(uint32_t(a[i])) * uint32_t(b[i]) >> 32)"), "return r;"});
        return what;
    }
    const char* sign = what == "plus"    ? "+"
                       : what == "minus" ? "-"
                       : what == "times" ? "*"
                       : what == "left"  ? "<<"
                                         : ">>";
    add(head, {fmt::format("return ({})(({})a {} ({})b);", name, bare, sign, bare)});
    return what;
}

std::string Prelude::rounded_down(VectorType type, const std::string& what) {
    std::string name = this->type(type), head = fmt::format("{0} {1}({2} a, {2} b)", name, what, taken(type));
    bool quotient = what == "quotient";
    if (type.lanes == 1) {
        add(head, {quotient ? "return a / b - (a % b < 0);" : "return a % b < 0 ? a % b + b : a % b;"});
    } else {
        std::string one = rounded_down({type.lane, 1}, what);
        add(head, {fmt::format("{} r = {{}};", name), lane_by_lane(type, one + "(a[i], b[i])"), "return r;"});
    }
    return what;
}

std::string Prelude::reinterpret(Lane from, Lane to) {
    std::string name = to == Lane::f32 ? "float_of" : to == Lane::f64 ? "double_of" : "bits_of";
    add(fmt::format("{} {}({} x)", scalar_name(to), name, scalar_name(from)),
        {fmt::format("{} r; __builtin_memcpy(&r, &x, sizeof r); return r;", scalar_name(to))});
    return name;
}

std::string Prelude::bf16(int lanes, bool to) {
    VectorType half{Lane::u16, lanes}, bits{Lane::u32, lanes}, single{Lane::f32, lanes};
    std::string half_name = type(half), bits_name = type(bits), single_name = type(single);
    bool vector = lanes > 1;
    auto cast = [&](const std::string& x, const std::string& made) {
        return vector ? fmt::format("__builtin_convertvector({}, {})", x, made) : fmt::format("{}({})", made, x);
    };
    if (!to) {
        std::string wide = fmt::format("{} << 16", cast("x", bits_name));
        std::string body = vector ? fmt::format("({})({})", single_name, wide)
                                  : fmt::format("{}(int32_t({}))", reinterpret(Lane::i32, Lane::f32), wide);
        add(fmt::format("{} from_bf16({} x)", single_name, taken(half)), {fmt::format("return {};", body)});
        return "from_bf16";
    }
    std::string raw =
        vector ? fmt::format("({})x", bits_name) : fmt::format("uint32_t({}(x))", reinterpret(Lane::f32, Lane::i32));
    add(fmt::format("{} to_bf16({} x)", half_name, taken(single)),
        {fmt::format("{} bits = {}, rounded = bits + 0x7fffu + (bits >> 16 & 1u); // ties to even", bits_name, raw),
         vector ? "rounded = x != x ? bits | 0x400000u : rounded;" : "if (x != x) rounded = bits | 0x400000u;",
         fmt::format("return {};", cast("(rounded >> 16)", half_name))});
    return "to_bf16";
}

} // namespace gradc::target
