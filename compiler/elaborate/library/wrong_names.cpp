// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The library's functions are listed by file, in order of their names.
#include "compiler/elaborate/library/wrong_names.h"
#include "compiler/elaborate/builtins.h"
#include "dsl/other_names.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

std::string did_you_mean(const std::string& name, const std::vector<std::string>& known) {
    auto near = nearest(name, known);
    return near ? fmt::format("did you mean `{}`?", *near) : "";
}

/// The functions that a file may call, a line for each file of the library.
std::string library_listing(const Definitions& definitions, uint32_t module) {
    std::string result = "there are";
    for (size_t number = 0; number < definitions.modules.size(); ++number) {
        const Module& file = definitions.modules[number];
        if (file.functions.empty() || (!file.standard && number != module)) continue;
        std::vector<std::string> names;
        for (const auto& [name, entry] : file.functions)
            if (!entry.hidden()) names.push_back(name);
        const std::string& path = definitions.sources->all[file.tree.source].name;
        size_t begin = path.rfind('/') + 1;
        result += fmt::format("\n  {}: {}", path.substr(begin, path.rfind('.') - begin), fmt::join(names, ", "));
    }
    return result;
}

} // namespace

void report_unknown_argument(Elaborator& elaborator, const std::string& callee, const std::string& name, Span span,
                             const std::vector<std::string>& known) {
    auto old = renamed_parameter(callee, name);
    std::string meant = old ? old->new_name : foreign_argument(name, known);
    std::string message = fmt::format("`{}` has no parameter `{}`", callee, name);
    if (!meant.empty()) message += fmt::format("; it is called `{}`", meant);
    std::string value = old && !old->value.empty() ? old->value : "..";
    if (size_t at = value.find('_'); at != value.npos) value.replace(at, 1, name);
    std::string repair = meant.empty() ? did_you_mean(name, known) : fmt::format("write `{}: {}`", meant, value);
    if (meant.empty())
        repair += fmt::format("{}{}", repair.empty() ? "" : " ",
                              known.empty() ? "it has none" : fmt::format("it has {}", fmt::join(known, ", ")));
    elaborator.error(Code::unknown_argument, span, std::move(message), "", std::move(repair));
}

void report_unknown_function(Elaborator& elaborator, const std::string& name, Span span, uint32_t module) {
    const Definitions& definitions = elaborator.definitions;
    auto known = definitions.function_names(module);
    for (const Builtin& each : builtins()) known.push_back(each.name);
    std::string message = fmt::format("unknown function `{}`", name), repair = foreign_repair("call", name);
    if (auto old = renamed_function(name)) {
        message += fmt::format("; it is called `{}`", old->new_name);
        repair = fmt::format("write `{}(..)`", old->new_name);
    }
    if (repair.empty()) repair = did_you_mean(name, known);
    if (repair.empty()) repair = library_listing(definitions, module);
    elaborator.error(Code::unknown_function, span, std::move(message), "", std::move(repair));
}

void report_unknown_optimizer(Elaborator& elaborator, const std::string& name, Span span, uint32_t module) {
    const Definitions& definitions = elaborator.definitions;
    auto function = definitions.find_function(name, module);
    std::vector<std::string> known;
    for (const std::string& each : definitions.function_names(module)) {
        auto entry = definitions.find_function(each, module);
        if (entry && entry->tree->kind == ast::FunctionKind::optimizer) known.push_back(each);
    }
    std::string message =
        function ? fmt::format("`{}` is not an optimizer", name) : fmt::format("unknown optimizer `{}`", name);
    std::string repair = function ? "" : foreign_repair("call", name);
    if (auto old = function ? nullptr : renamed_function(name)) {
        message += fmt::format("; it is called `{}`", old->new_name);
        repair = fmt::format("write `{}(..)`", old->new_name);
    }
    if (repair.empty()) repair = repair_among(name, known, "optimizers");
    elaborator.error(Code::unknown_optimizer, span, std::move(message), "", std::move(repair));
}

std::string repair_among(const std::string& name, const std::vector<std::string>& known, const std::string& kind) {
    constexpr size_t most = 40;
    std::vector<std::string> first(known.begin(), known.begin() + long(std::min(known.size(), most)));
    std::string repair = did_you_mean(name, known);
    if (known.empty()) return repair;
    return fmt::format("{}{}{} are {}{}", repair, repair.empty() ? "" : " ", kind, fmt::join(first, ", "),
                       known.size() > most ? ", .." : "");
}

std::string repair_of_value(const std::string& name, const std::vector<std::string>& known) {
    if (std::string repair = foreign_repair("value", name); !repair.empty()) return repair;
    std::string type = foreign_repair("type", name);
    return type.empty() ? did_you_mean(name, known) : fmt::format("write `{}`", type);
}

} // namespace gradc
