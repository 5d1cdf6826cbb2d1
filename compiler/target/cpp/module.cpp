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
#include <fmt/format.h>

namespace gradc::target {

using namespace loop;

namespace {

constexpr const char* abi_text =
#include "abi_text.inc"
    ;

/// Both compilers then round what the loop IR rounds, and nothing else.
constexpr const char* rules =
    R"(#pragma GCC diagnostic ignored "-Wpsabi" // no vector crosses a call
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif
#define INLINE static inline __attribute__((always_inline, unused))
)";

std::string upper(std::string_view name) {
    std::string result;
    for (char c : name) result += char(std::toupper(static_cast<unsigned char>(c)));
    return result;
}

std::string target_macro(const Machine& machine) {
    std::string name = upper(machine.name), bits = std::to_string(8 * machine.vector_bytes);
    if (machine.isa == Isa::baseline) return fmt::format("#define {} __attribute__((target(\"arch=x86-64\")))\n", name);
    return fmt::format("#if defined(__clang__)\n"
                       "#define {0} __attribute__((target(\"{1}\"), min_vector_width({2})))\n#else\n"
                       "#define {0} __attribute__((target(\"{1},prefer-vector-width={2}\")))\n#endif\n",
                       name, machine.target, bits);
}

class CppModule {
public:
    CppModule(const Module& module, const Metadata& metadata) : module_(module), metadata_(metadata) {}
    std::string run();

private:
    std::string machine_text(Isa isa);
    std::string table_text();
    std::string value_text(const TableValue& value) const;
    std::string array_text(const Table::Array& array) const;

    const Module& module_;
    const Metadata& metadata_;
    Table table_;
    std::set<VectorType> types_;
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
            std::string name = names.fresh(kernel.name);
            kernel_names.push_back(name);
            Kernel own = expanded(module_, isa, kernel); // a function for each kernel, its addresses as constants
            functions += "\n" + CppKernel(module_, own, machine, prelude).run(name);
            functions_[symbol(*program, kernel, isa)] = fmt::format("{}::{}::{}", machine.name, space, name);
        }
        if (program->multi_step) {
            functions += "\n" + print_multi_step(module_, *program, machine, kernel_names);
            functions_[steps_symbol(*program, isa)] = fmt::format("{}::{}::steps", machine.name, space);
        }
        kernels += fmt::format("\nnamespace {} {{ // program {}\n{}\n}} // namespace {}\n", space, program->name,
                               functions, space);
    }
    if (kernels.empty()) return "";
    types_.insert(prelude.used_types().begin(), prelude.used_types().end());
    return fmt::format("\n{0}\nnamespace {1} {{\n\n{2}{3}\n}} // namespace {1}\n", target_macro(machine), machine.name,
                       prelude.text(), kernels);
}

std::string CppModule::value_text(const TableValue& value) const {
    switch (value.kind) {
    case TableValue::Kind::i32: return fmt::format("{}", value.integer);
    case TableValue::Kind::i64: return integer_number(value.integer, Dtype::i64);
    case TableValue::Kind::f64: return number(value.number, Dtype::f64);
    case TableValue::Kind::text: return quoted(value.text);
    case TableValue::Kind::array:
        return value.integer < 0 ? "NULL" : "table::" + table_.arrays[size_t(value.integer)].name;
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
    bool numbers = array.type == "int64_t" || array.type == "int32_t" || array.type == "double";
    size_t column = text.size();
    for (size_t i = 0; i < array.elements.size(); ++i) {
        std::string element = value_text(array.elements[i]);
        bool wrap = !numbers || column + element.size() > 96;
        text += wrap ? "\n    " : i ? " " : "";
        column = wrap ? 4 : column;
        text += element + (i + 1 < array.elements.size() ? "," : "");
        column += element.size() + 2;
    }
    return text + "};\n";
}

std::string CppModule::table_text() {
    table_ = make_table(module_, metadata_, false);
    std::string text = "\nnamespace table {\nnamespace {\n";
    for (const Table::Array& array : table_.arrays) text += array_text(array);
    text += "} // namespace\n} // namespace table\n\nextern \"C\" const gradc_module "
            "gradc_module_table = {\n";
    for (const TableValue& member : table_.module.members) text += "    " + value_text(member) + ",\n";
    return text + "};\n";
}

std::string CppModule::run() {
    std::string machines;
    for (int isa = 0; isa < isa_count; ++isa) machines += machine_text(Isa(isa));
    std::string text = fmt::format("// {}: its programs, written by {}. Compiles alone.\n{}\n", metadata_.name,
                                   metadata_.compiler.empty() ? "gradc" : metadata_.compiler, abi_text);
    return text + rules + "\n" + type_declarations(types_) + machines + table_text();
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
        texts.push_back(CppKernel(module, own, machine, prelude).run(names.fresh(kernel.name)));
    }
    return texts;
}

} // namespace gradc::target
