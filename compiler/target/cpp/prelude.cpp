// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types, lanes, loads and stores. prelude_math.cpp has arithmetic.
#include "compiler/target/cpp/prelude.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradc::target {

int lane_bytes(Lane lane) {
    static constexpr int sizes[] = {4, 8, 1, 4, 8, 1, 2, 4, 8};
    return sizes[size_t(lane)];
}
std::string memory_name(Lane lane) {
    static constexpr const char* names[] = {"f32", "f64", "i8", "i32", "i64", "u8", "u16", "u32", "u64"};
    return names[size_t(lane)];
}
std::string scalar_name(Lane lane) {
    static constexpr const char* names[] = {"float",   "double",   "int8_t",   "int32_t", "int64_t",
                                            "uint8_t", "uint16_t", "uint32_t", "uint64_t"};
    return names[size_t(lane)];
}
std::string type_name(VectorType type) {
    return type.lanes == 1 ? scalar_name(type.lane) : fmt::format("{}x{}", memory_name(type.lane), type.lanes);
}

Lane lane_of(Dtype dtype) {
    switch (dtype) {
    case Dtype::f32: return Lane::f32;
    case Dtype::f64: return Lane::f64;
    case Dtype::bf16: return Lane::u16;
    case Dtype::i32: return Lane::i32;
    case Dtype::i64: return Lane::i64;
    default: return Lane::u8;
    }
}
Lane mask_lane(int bytes) { return bytes == 1 ? Lane::i8 : bytes == 8 ? Lane::i64 : Lane::i32; }

std::string type_declarations(const std::set<VectorType>& types) {
    std::string text;
    for (Lane lane : {Lane::f32, Lane::f64, Lane::i32, Lane::i64, Lane::u8, Lane::u16})
        text += fmt::format("typedef {} {} __attribute__((may_alias));\n", scalar_name(lane), memory_name(lane));
    for (VectorType type : types) {
        if (type.lanes == 1) continue;
        text += fmt::format("typedef {} {} __attribute__((vector_size({})));\n", scalar_name(type.lane),
                            type_name(type), type.lanes * lane_bytes(type.lane));
    }
    return text;
}

const std::string& Prelude::type(VectorType type) {
    types_.insert(type);
    return names_.emplace(type, type_name(type)).first->second;
}

std::string Prelude::taken(VectorType type) {
    bool wide = type.lanes > 1 && type.lanes * lane_bytes(type.lane) > machine_.vector_bytes;
    return wide ? fmt::format("const {}&", this->type(type)) : this->type(type);
}

void Prelude::add(const std::string& head, const std::vector<std::string>& body) {
    if (!heads_.insert(head).second) return;
    std::string macro;
    for (char c : machine_.name) macro += char(std::toupper(static_cast<unsigned char>(c)));
    std::string text = fmt::format("{} INLINE {} {{", macro, head);
    bool short_one = body.size() == 1 && text.size() + body[0].size() < 116 && body[0][0] != '#';
    if (short_one) text += " " + body[0] + " }\n";
    else {
        text += "\n";
        for (const std::string& line : body) text += (line[0] == '#' ? "" : "    ") + line + "\n";
        text += "}\n";
    }
    functions_.push_back(text);
}

std::string Prelude::function(const std::string& name, const std::string& type, const Parameters& taken,
                              const std::string& body) {
    std::string types, parameters; // functions of one name differ in types: parameters without a name count too
    for (const auto& [each, parameter] : taken) {
        types += each + ", ";
        parameters += (parameters.empty() ? "" : ", ") + each + (parameter.empty() ? "" : " " + parameter);
    }
    for (int number = 1;; ++number) {
        std::string unique = number == 1 ? name : fmt::format("{}_{}", name, number);
        auto [known, fresh] = made_.emplace(fmt::format("{}({})", unique, types), type + parameters + body);
        if (!fresh && known->second != type + parameters + body) continue;
        if (!fresh) return unique;
        std::string macro;
        for (char c : machine_.name) macro += char(std::toupper(static_cast<unsigned char>(c)));
        functions_.push_back(fmt::format("{} INLINE {} {}({}) {{\n{}}}\n", macro, type, unique, parameters, body));
        return unique;
    }
}

std::string Prelude::text() const { return fmt::format("{}", fmt::join(functions_, "")); }

std::string Prelude::each(VectorType type, const std::string& expression) {
    return fmt::format("for (int i = 0; i < {}; ++i) r[i] = {};", type.lanes, expression);
}

std::string Prelude::of(VectorType type) {
    std::vector<std::string> copies(size_t(type.lanes), "x");
    std::string name = this->type(type);
    add(fmt::format("{0} {0}_of({1} x)", name, scalar_name(type.lane)),
        {fmt::format("return {}{{{}}};", name, fmt::join(copies, ", "))});
    return name + "_of";
}

std::string Prelude::lanes(VectorType type) {
    std::string numbers, name = this->type(type);
    for (int lane = 0; lane < type.lanes; ++lane) numbers += fmt::format("{}{}", lane ? ", " : "", lane);
    add(fmt::format("{0} {0}_lanes()", name), {fmt::format("return {}{{{}}};", name, numbers)});
    return name + "_lanes";
}

std::string Prelude::first(VectorType mask) {
    std::string name = type(mask), numbered = lanes(mask), spread = of(mask);
    add(fmt::format("{0} {0}_first(int64_t n)", name),
        {fmt::format("n = n < 0 ? 0 : n > {0} ? {0} : n;", mask.lanes),
         fmt::format("return {}() < {}(({})n);", numbered, spread, scalar_name(mask.lane))});
    return name + "_first";
}

std::string Prelude::at(VectorType type) {
    std::string name = this->type(type);
    add(fmt::format("{0} {0}_at(const {1}* p)", name, memory_name(type.lane)),
        {fmt::format("{} r;", name), "__builtin_memcpy(&r, p, sizeof r);", "return r;"});
    return name + "_at";
}

std::string Prelude::at_masked(VectorType type, Lane mask) {
    std::string name = this->type(type), mask_name = taken({mask, type.lanes});
    add(fmt::format("{0} {0}_at(const {1}* p, {2} mask)", name, memory_name(type.lane), mask_name),
        {fmt::format("{} r = {{}};", name), each(type, fmt::format("mask[i] ? p[i] : {}(0)", scalar_name(type.lane))),
         "return r;"});
    return name + "_at";
}

std::string Prelude::strided(VectorType type, bool masked, Lane mask) {
    std::string name = this->type(type), dtype = "p[i * stride]", more;
    if (masked) {
        more = fmt::format(", {} mask", taken({mask, type.lanes}));
        dtype = fmt::format("mask[i] ? {} : {}(0)", dtype, scalar_name(type.lane));
    }
    add(fmt::format("{0} {0}_strided(const {1}* p, int64_t stride{2})", name, memory_name(type.lane), more),
        {fmt::format("{} r = {{}};", name), each(type, dtype), "return r;"});
    return name + "_strided";
}

std::string Prelude::gather(VectorType type, Lane index, bool masked, Lane mask) {
    std::string name = this->type(type), dtype = "p[index[i]]", more;
    if (masked) {
        more = fmt::format(", {} mask", taken({mask, type.lanes}));
        dtype = fmt::format("mask[i] ? {} : {}(0)", dtype, scalar_name(type.lane));
    }
    add(fmt::format("{0} {0}_gather(const {1}* p, {2} index{3})", name, memory_name(type.lane),
                    taken({index, type.lanes}), more),
        {fmt::format("{} r = {{}};", name), each(type, dtype), "return r;"});
    return name + "_gather";
}

std::string Prelude::store(VectorType type, bool strided, bool masked, Lane mask) {
    std::string more = strided ? ", int64_t stride" : "";
    more += fmt::format(", {} v", taken(type));
    if (masked) more += fmt::format(", {} mask", taken({mask, type.lanes}));
    std::string head = fmt::format("void store{}({}* p{})", strided ? "_strided" : "", memory_name(type.lane), more);
    std::string lane = fmt::format("p[i{}] = v[i];", strided ? " * stride" : "");
    if (!strided && !masked) add(head, {"__builtin_memcpy(p, &v, sizeof v);"});
    else
        add(head, {fmt::format("for (int i = 0; i < {}; ++i)", type.lanes),
                   fmt::format("    {}{}", masked ? "if (mask[i]) " : "", lane)});
    return strided ? "store_strided" : "store";
}

} // namespace gradc::target
