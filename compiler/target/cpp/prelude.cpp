// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types, lanes, loads and stores. prelude_math.cpp has arithmetic.
#include "compiler/target/cpp/prelude.h"
#include "compiler/target/cpp/names.h"
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
    std::vector<std::string> all;
    for (Lane lane : {Lane::f32, Lane::f64, Lane::i32, Lane::i64, Lane::u8, Lane::u16})
        all.push_back(fmt::format("typedef {} {} __attribute__((may_alias));", scalar_name(lane), memory_name(lane)));
    for (VectorType type : types)
        if (type.lanes > 1)
            all.push_back(fmt::format("typedef {} {} __attribute__((vector_size({})));", scalar_name(type.lane),
                                      type_name(type), type.lanes * lane_bytes(type.lane)));
    std::string text; // two on a line
    for (size_t i = 0; i < all.size(); ++i) text += all[i] + (i % 2 || i + 1 == all.size() ? "\n" : " ");
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

void Prelude::add(const std::string& parameters, const std::string& head, const std::vector<std::string>& body) {
    if (!heads_.insert(head).second) return;
    std::string text =
        fmt::format("{}{}{} INLINE {} {{", parameters, parameters.empty() ? "" : " ", upper(machine_.name), head);
    size_t note = body[0].find(" //");
    std::string only = body[0].substr(0, note), comment = note == std::string::npos ? "" : body[0].substr(note);
    if (body.size() == 1 && text.size() + body[0].size() <= 117) text += " " + only + " }" + comment + "\n";
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
        std::string macro = upper(machine_.name);
        std::string head = fmt::format("{} INLINE {} {}({}) {{", macro, type, unique, parameters);
        size_t text = body.find_first_not_of(' '), end = body.find('\n');
        bool short_one = end + 1 == body.size() && head.size() + end - text <= 117;
        functions_.push_back(short_one ? fmt::format("{} {} }}\n", head, body.substr(text, end - text))
                                       : fmt::format("{}\n{}}}\n", head, body));
        return unique;
    }
}

std::string Prelude::for_tiles(const std::string& name, const std::string& body) {
    if (heads_.insert("Rows").second)
        functions_.push_back("template <int n> struct Rows { static constexpr int count = n; };\n");
    std::string unique = name;
    for (int number = 2;; ++number) {
        auto [known, fresh] = made_.emplace(unique, body);
        if (fresh)
            functions_.push_back(fmt::format("template <class Tile> {} INLINE void {}(int64_t rows, int64_t from, "
                                             "int64_t to, const Tile& tile) {{\n{}}}\n",
                                             upper(machine_.name), unique, body));
        if (fresh || known->second == body) return unique;
        unique = fmt::format("{}_{}", name, number);
    }
}

std::string Prelude::text() const { return fmt::format("{}", fmt::join(functions_, "")); }

/// lane<f32x8> is float, lanes<f32x8> 8.
void Prelude::lane_types() {
    if (!heads_.insert("lane").second) return;
    functions_.push_back("template <class V> using lane = __typeof__(V{}[0]);\n"
                         "template <class V> constexpr int lanes = sizeof(V) / sizeof(lane<V>);\n");
}

std::string Prelude::splat(VectorType type) {
    lane_types();
    add("template <class V, class T>", "V splat(T x)", {"return lane<V>(x) - V{}; // -0 - 0 is -0"});
    return "splat<" + this->type(type) + ">";
}

std::string Prelude::lanes(VectorType type) {
    lane_types();
    add("template <class V>", "V lane_numbers()",
        {"V r = {};", "#pragma GCC unroll 64", "for (int i = 0; i < lanes<V>; ++i) r[i] = lane<V>(i);", "return r;"});
    return "lane_numbers<" + this->type(type) + ">";
}

std::string Prelude::first(VectorType mask) {
    lanes(mask), splat(mask);
    add("template <class V>", "V first_lanes(int64_t n)",
        {"return lane_numbers<V>() < splat<V>(n < 0 ? 0 : n > lanes<V> ? lanes<V> : n);"});
    return "first_lanes<" + type(mask) + ">";
}

std::string Prelude::load(VectorType type) {
    add("template <class V>", "V load(const void* p)", {"V r; __builtin_memcpy(&r, p, sizeof r); return r;"});
    return "load<" + this->type(type) + ">";
}

/// A function that fills a vector lane by lane.
std::string Prelude::loaded(VectorType type, const std::string& name, const std::string& more,
                            const std::string& element, bool masked) {
    lane_types();
    add(fmt::format("template <class V, class T{}{}>", name == "gather" ? ", class I" : "", masked ? ", class M" : ""),
        fmt::format("V {}(const T* p{}{})", name, more, masked ? ", const M& mask" : ""),
        {"V r = {};",
         fmt::format("for (int i = 0; i < lanes<V>; ++i) r[i] = {};",
                     masked ? fmt::format("mask[i] ? {} : T(0)", element) : element),
         "return r;"});
    return name + "<" + this->type(type) + ">";
}

std::string Prelude::load_masked(VectorType type) { return loaded(type, "load", "", "p[i]", true); }

std::string Prelude::strided(VectorType type, bool masked) {
    return loaded(type, "load_strided", ", int64_t stride", "p[i * stride]", masked);
}

std::string Prelude::gather(VectorType type, bool masked) {
    return loaded(type, "gather", ", const I& index", "p[index[i]]", masked);
}

/// Stores copy bytes: the type of `p` may be another one than that of later loads.
std::string Prelude::store(VectorType type, bool strided, bool masked) {
    this->type(type);
    lane_types();
    std::string name = strided ? "store_strided" : "store", stride = strided ? " * stride" : "";
    if (!strided && !masked) {
        add("template <class V>", "void store(void* p, const V& v)", {"__builtin_memcpy(p, &v, sizeof v);"});
        return name;
    }
    std::string condition = masked ? "if (mask[i]) " : "";
    add(fmt::format("template <class T, class V{}>", masked ? ", class M" : ""),
        fmt::format("void {}(T* p{}, const V& v{})", name, strided ? ", int64_t stride" : "",
                    masked ? ", const M& mask" : ""),
        {fmt::format(
            "for (int i = 0; i < lanes<V>; ++i) {{ const T x = v[i]; {}__builtin_memcpy(p + i{}, &x, sizeof x); }}",
            condition, stride)});
    return name;
}

} // namespace gradc::target
