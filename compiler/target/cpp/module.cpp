// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The whole C++ text: the contract's types, vector types, then a namespace for each ISA with its
// prelude and one for each program with its kernels, and the table. Names are unique in their
// namespace.
#include "compiler/program/code.h"
#include "compiler/program/verify.h"
#include "compiler/target/compile.h"
#include "compiler/target/cpp/kernel.h"
#include "compiler/target/cpp/multi_step.h"
#include "compiler/target/table.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <span>
#include <utility>

namespace gradc::target {

using namespace loop;

namespace {

/// Both compilers then round what the loop IR rounds, and nothing else.
constexpr const char* rules =
    R"(#pragma GCC diagnostic ignored "-Wpsabi" // no vector crosses a call
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wc++20-designator"
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif
#define UNROLL _Pragma("GCC unroll 16")
#define ALWAYS_INLINE __attribute__((always_inline))
#define INLINE static inline __attribute__((always_inline, unused))
)";

constexpr const char* row_tiles =
    R"(// for_tiles_by_R does items [from, to) of a product, an item being a tile of rows. Where the rows come out even, the
// first tiles have R rows and the others R - 1; else whole tiles of R run, then tiles of four rows and of one.
)";

std::string target_macro(const Machine& machine) {
    std::string name = upper(machine.name), bits = std::to_string(8 * machine.vector_bytes);
    if (machine.isa == Isa::baseline) return fmt::format("#define {} __attribute__((target(\"arch=x86-64\")))\n", name);
    return fmt::format("#if defined(__clang__)\n"
                       "#define {0} __attribute__((target(\"{1}\"), min_vector_width({2})))\n#else\n"
                       "#define {0} __attribute__((target(\"{1},prefer-vector-width={2}\")))\n#endif\n",
                       name, machine.target, bits);
}

/// Members of a struct of runtime/abi.h, in order.
const std::vector<std::string_view>& members_of(const std::string& type) {
    static const std::map<std::string, std::vector<std::string_view>> all{
        {"gradc_tensor",
         {"name", "saved_as", "dtype", "role", "rank", "has_rows", "shape", "strides", "offset", "panel"}},
        {"gradc_code", {"functions", "extents", "flops", "bytes"}},
        {"gradc_kernel", {"name", "code", "arguments", "argument_distance"}},
        {"gradc_step", {"kind", "kernel", "iterations", "reverse"}},
        {"gradc_program",
         {"name", "kernels", "table", "kernel_count", "step_count", "results", "result_count", "flops", "fields",
          "field_count", "steps", "step_rows"}},
        {"gradc_flag", {"name", "full", "help", "scalar", "integer", "value"}},
        {"gradc_file", {"split", "path"}},
        {"gradc_field",
         {"name",
          "reader",
          "stored",
          "rank",
          "shape",
          "low",
          "high",
          "files",
          "file_count",
          "columns",
          "column_names",
          "column_count",
          "column_name_count",
          "values",
          "rows",
          "alphabet",
          "window",
          "stride",
          "strings",
          "other",
          "record",
          "offset",
          "in_file"}},
        {"gradc_split", {"name", "fraction"}},
        {"gradc_dataset", {"name", "fields", "splits", "field_count", "split_count", "in_order", "split_by_file"}},
        {"gradc_metric", {"name", "rank", "shape"}},
        {"gradc_block",
         {"name", "dataset", "batch_all", "order", "batch", "epochs", "steps", "turns", "flags", "flag_count",
          "metrics", "metric_count", "step", "training", "evaluation", "predict", "generate", "context", "diagnose"}},
        {"gradc_module", {"abi_version",    "name",           "compiler",        "options",         "source_hash",
                          "bits",           "arena_bytes",    "parameter_bytes", "optimizer_bytes", "activation_bytes",
                          "scratch_bytes",  "least_bytes",    "batch",           "tensors",         "programs",
                          "datasets",       "blocks",         "tensor_count",    "program_count",   "dataset_count",
                          "block_count",    "initial",        "statistics",      "columns",         "constant_offsets",
                          "constant_sizes", "constant_bytes", "constant_count",  "flush_denormals", "derived"}}};
    return all.at(type);
}

/// 0 or NULL, as every member is that an initializer does not name.
bool is_zero(const TableValue& value) {
    switch (value.kind) {
    case TableValue::Kind::i32:
    case TableValue::Kind::i64: return value.integer == 0;
    case TableValue::Kind::f64: return value.number == 0 && !std::signbit(value.number);
    case TableValue::Kind::array: return value.integer < 0;
    case TableValue::Kind::function: return !value.function.built;
    case TableValue::Kind::members: return std::all_of(value.members.begin(), value.members.end(), is_zero);
    case TableValue::Kind::text: return false;
    }
    return false;
}

/// "GRADC_F64" where the member is of an enumeration of runtime/abi.h, else "".
std::string enumerator(std::string_view member, int64_t value) {
    static constexpr const char* dtypes[] = {"F32", "F64", "BF16", "I32", "I64", "U8", "BOOL"};
    static constexpr const char* roles[] = {"FIELD",     "SCALAR",    "PARAMETER",   "STATE",
                                            "OPTIMIZER", "STATISTIC", "ACCUMULATOR", "RESULT"};
    static constexpr const char* steps[] = {"KERNEL", "LOOP_BEGIN", "LOOP_END", "GUARD"};
    static constexpr const char* orders[] = {"SHUFFLED", "FILE_ORDER", "RANDOM"};
    std::span<const char* const> names;
    if (member == "dtype" || member == "stored" || member == "in_file") names = dtypes;
    if (member == "role") names = roles;
    if (member == "kind") names = steps;
    if (member == "order") names = orders;
    return value >= 0 && size_t(value) < names.size() ? fmt::format("GRADC_{}", names[size_t(value)]) : "";
}

/// `head` ends with the open brace. One line if it fits; else as many numbers on a line as fit, others on lines of their
/// own.
std::string initializer(const std::string& head, const std::vector<std::string>& elements, bool numbers) {
    std::string flat = fmt::format("{}{}}};\n", head, fmt::join(elements, ", "));
    if (flat.size() <= 121) return flat;
    std::string text = head;
    size_t column = head.size();
    for (size_t i = 0; i < elements.size(); ++i) {
        bool wrap = !numbers || (elements.size() > 1 && column + elements[i].size() > 116);
        text += wrap ? "\n    " : i ? " " : "";
        column = wrap ? 4 : column;
        text += elements[i] + (i + 1 < elements.size() ? "," : "");
        column += elements[i].size() + 2;
    }
    return text + "};\n";
}

class CppModule {
public:
    CppModule(const Module& module, const Metadata& metadata) : module_(module), metadata_(metadata), places_(module) {}
    std::string run();

private:
    std::string machine_text(Isa isa);
    std::string uses_text();
    std::string table_text();
    std::string value_text(const TableValue& value) const;
    std::vector<std::string> named_members(const TableValue& value, const std::string& type) const;
    std::string array_text(const Table::Array& array) const;

    const Module& module_;
    const Metadata& metadata_;
    Table table_;
    std::string qualifier_; // of the table's arrays
    std::set<VectorType> types_;
    Places places_;
    std::map<int64_t, std::string> uses_;          // by number of an array of arguments: "relu_1_uses[2]"
    std::map<std::string, std::string> functions_; // symbol -> "avx2::train_step::relu_1"
};

std::string CppModule::machine_text(Isa isa) {
    const Machine& machine = target::machine(isa);
    Prelude prelude(machine);
    std::string kernels;
    Names namespaces;
    for (const auto& versions : module_.programs) {
        const std::optional<Program>& program = versions[size_t(isa)];
        if (!program || program->kernels.empty()) continue;
        std::string space = namespaces.fresh(program->name);
        Names names;
        std::string functions;
        std::vector<std::string> kernel_names;
        if (program->multi_step) names.fresh("steps");
        for (const Kernel& kernel : program->kernels) {
            std::string& function = functions_[symbol(*program, kernel, isa)];
            if (kernel.same_as) {
                const auto& [first, number] = *kernel.same_as;
                const Program& other = *module_.programs[size_t(first)][size_t(isa)];
                function = functions_.at(symbol(other, other.kernels[size_t(number)], isa));
            } else {
                std::string name = names.fresh(kernel.name);
                functions +=
                    (functions.empty() ? "" : "\n") + CppKernel(module_, kernel, machine, prelude, &places_).run(name);
                function = fmt::format("{}::{}::{}", machine.name, space, name);
            }
            kernel_names.push_back(function);
        }
        if (program->multi_step) {
            functions += "\n" + print_multi_step(module_, *program, machine, kernel_names);
            functions_[steps_symbol(*program, isa)] = fmt::format("{}::{}::steps", machine.name, space);
        }
        if (functions.empty()) continue; // all of its code is shared
        kernels += fmt::format("\nnamespace {} {{ // program {}\n{}\n}} // namespace {}\n", space, program->name,
                               functions, space);
    }
    if (kernels.empty()) return "";
    std::string functions = prelude.text();
    if (functions.find("_tiles_by_") != std::string::npos) functions = row_tiles + functions;
    types_.insert(prelude.used_types().begin(), prelude.used_types().end());
    return fmt::format("\n{0}\nnamespace {1} {{\n{2}{3}}} // namespace {1}\n", target_macro(machine), machine.name,
                       functions, kernels);
}

std::string CppModule::value_text(const TableValue& value) const {
    switch (value.kind) {
    case TableValue::Kind::i32: return fmt::format("{}", value.integer);
    case TableValue::Kind::i64: return integer_number(value.integer, Dtype::i64);
    case TableValue::Kind::f64: return number(value.number, Dtype::f64);
    case TableValue::Kind::text: return quoted(value.text);
    case TableValue::Kind::array:
        if (value.integer < 0) return "NULL";
        if (auto use = uses_.find(value.integer); use != uses_.end()) return use->second;
        return qualifier_ + table_.arrays[size_t(value.integer)].name;
    case TableValue::Kind::function: {
        if (!value.function.built) return "NULL";
        return functions_.at(symbol(module_, value.function));
    }
    case TableValue::Kind::members: break;
    }
    std::string text = "{";
    for (size_t i = 0; i < value.members.size(); ++i) text += (i ? ", " : "") + value_text(value.members[i]);
    return text + "}";
}

/// ".rank = 2": those that are not zero.
std::vector<std::string> CppModule::named_members(const TableValue& value, const std::string& type) const {
    const auto& names = members_of(type);
    check(names.size() == value.members.size(), "cpp", type + " has other members");
    std::vector<std::string> result;
    for (size_t i = 0; i < names.size(); ++i) {
        if (is_zero(value.members[i])) continue;
        std::string text =
            value.members[i].kind == TableValue::Kind::i32 ? enumerator(names[i], value.members[i].integer) : "";
        result.push_back(fmt::format(".{} = {}", names[i], text.empty() ? value_text(value.members[i]) : text));
    }
    return result;
}

std::string CppModule::array_text(const Table::Array& array) const {
    if (array.type == "unsigned char") {
        std::string text =
            fmt::format("alignas(64) const unsigned char {}[] = {{ // {}\n   ", array.name, array.comment);
        for (size_t i = 0; i < array.bytes.size(); ++i) {
            if (i && i % 24 == 0) text += "\n   ";
            text += fmt::format(" {},", static_cast<unsigned char>(array.bytes[i]));
        }
        return text + "\n};\n";
    }
    bool pointers = array.type.back() == '*';
    std::string text = pointers ? fmt::format("{} const {}[] = {{", array.type, array.name)
                                : fmt::format("const {} {}[] = {{", array.type, array.name);
    bool numbers = array.type == "int64_t" || array.type == "int32_t" || array.type == "double" ||
                   array.type == "gradc_step" || array.elements.size() == 1;
    std::vector<std::string> elements;
    for (const TableValue& value : array.elements)
        elements.push_back(value.kind != TableValue::Kind::members
                               ? value_text(value)
                               : fmt::format("{{{}}}", fmt::join(named_members(value, array.type), ", ")));
    return initializer(text, elements, numbers);
}

/// The arguments of kernels: for each function, a table with a row for each use.
std::string CppModule::uses_text() {
    struct Uses {
        std::string name;
        std::vector<int64_t> arrays;
    };
    std::map<int64_t, Uses> functions; // by number of the code's array
    Names names;
    for (const Table::Array& array : table_.arrays)
        for (const TableValue& kernel : array.elements) {
            if (array.type != "gradc_kernel") continue;
            int64_t code = kernel.members[1].integer, arguments = kernel.members[2].integer;
            if (arguments < 0 || uses_.count(arguments)) continue;
            Uses& uses = functions[code];
            if (uses.name.empty()) uses.name = names.fresh(kernel.members[0].text + "_uses");
            uses_[arguments] = fmt::format("{}[{}]", uses.name, uses.arrays.size());
            uses.arrays.push_back(arguments);
        }
    std::string text;
    for (const auto& [code, uses] : functions) {
        std::vector<std::string> rows;
        size_t count = 0;
        for (int64_t array : uses.arrays) {
            const std::vector<TableValue>& row = table_.arrays[size_t(array)].elements;
            std::vector<std::string> values;
            for (const TableValue& value : row)
                values.push_back(value.buffer ? places_[*value.buffer] : fmt::format("{}u", uint32_t(value.integer)));
            count = row.size();
            rows.push_back(fmt::format("{{{}}}", fmt::join(values, ", ")));
        }
        text += initializer(fmt::format("const uint32_t {}[][{}] = {{", uses.name, count), rows, true);
    }
    return text;
}

std::string CppModule::table_text() {
    std::string text = "\nnamespace table {\nnamespace {\n// Arguments of kernels: a row for each use.\n" + uses_text();
    Declarations numbers;
    for (const Table::Array& array : table_.arrays) {
        if (array.type == "uint32_t") continue; // arguments
        bool plain = array.type == "int64_t" || array.type == "int32_t";
        if (plain) numbers.add(array.type, array_text(array));
        else text += (array.type == "gradc_code" ? "" : numbers.take()) + array_text(array); // codes read no numbers
    }
    text += numbers.take();
    qualifier_ = "table::"; // outside
    text += "} // namespace\n} // namespace table\n\nextern \"C\" const gradc_module "
            "gradc_module_table = {\n";
    for (const std::string& member : named_members(table_.module, "gradc_module")) text += "    " + member + ",\n";
    return text + "};\n";
}

std::string CppModule::run() {
    table_ = make_table(module_, metadata_, true);
    std::string machines;
    for (int isa = 0; isa < isa_count; ++isa) machines += machine_text(Isa(isa));
    std::string table = table_text();
    std::string text = fmt::format("// {}: its programs, written by {}. Compiles alone.\n{}\n", metadata_.name,
                                   metadata_.compiler.empty() ? "gradc" : metadata_.compiler, abi_declarations());
    return text + rules + "\n" + type_declarations(types_) + places_.text() + machines + table;
}

} // namespace

std::string print_cpp(const Module& module, const Metadata& metadata) {
    verify(module);
    return CppModule(module, metadata).run();
}

std::vector<std::string> print_cpp_kernels(const Module& module, size_t program, Isa isa) {
    const auto& versions = module.programs[program];
    size_t built = versions[size_t(isa)] ? size_t(isa) : size_t(Isa::baseline);
    const Machine& machine = target::machine(Isa(built));
    Prelude prelude(machine);
    Names names;
    std::vector<std::string> texts;
    for (const Kernel& kernel : versions[built]->kernels) {
        Kernel own = expanded(module, Isa(built), kernel);
        own.takes_arguments = false;
        texts.push_back(CppKernel(module, own, machine, prelude).run(names.fresh(kernel.name)));
    }
    return texts;
}

} // namespace gradc::target
