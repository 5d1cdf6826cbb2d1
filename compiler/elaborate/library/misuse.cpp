// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table is read once. A value is traced back through moves and casts to the call that made it.
#include "compiler/elaborate/library/misuse.h"
#include "dsl/other_names.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

struct Misuse {
    std::string function, parameter, maker, repair;
};

const std::vector<Misuse>& misuses() {
    static const std::vector<Misuse> all = [] {
        std::vector<Misuse> result;
        for (const ForeignName& each : foreign_names()) {
            if (each.kind != "misuse") continue;
            size_t dot = each.word.find('.'), space = each.word.find(' ');
            result.push_back({each.word.substr(0, dot), each.word.substr(dot + 1, space - dot - 1),
                              each.word.substr(space + 1), each.repair});
        }
        return result;
    }();
    return all;
}

bool of_library(const Elaborator& elaborator, const FunctionEntry& function) {
    return elaborator.definitions.modules[function.module].standard;
}

/// The name of the watched function that made a value; "" if none did.
std::string maker_of(Elaborator& elaborator, const Term& term) {
    auto value = term.as<NodeTerm>();
    if (!value) return {};
    const Graph& graph = elaborator.graph();
    for (NodeId id = elaborator.levels.imported(*value).node;;) {
        auto found = elaborator.made_by.find({&graph, id});
        if (found != elaborator.made_by.end()) return found->second;
        const Node& node = graph[id];
        bool moves = node.op == Op::reshape || node.op == Op::permute || node.op == Op::slice || node.op == Op::cast;
        if (!moves) return {};
        id = node.inputs[0];
    }
}

} // namespace

void note_maker(Elaborator& elaborator, const FunctionEntry& function, const Term& result) {
    auto value = result.as<NodeTerm>();
    const std::string& name = function.tree->name;
    bool watched =
        std::any_of(misuses().begin(), misuses().end(), [&](const Misuse& each) { return each.maker == name; });
    if (value && watched && of_library(elaborator, function))
        elaborator.made_by[{&elaborator.graph(), elaborator.levels.imported(*value).node}] = name;
}

void check_misuse(Elaborator& elaborator, const FunctionEntry& function, const Scope& arguments,
                  const std::vector<Span>& spans, const Scope& caller) {
    if (!of_library(elaborator, function)) return;
    if (elaborator.definitions.modules[caller.frame->module].standard) return;
    const auto& parameters = function.tree->parameters;
    for (const Misuse& each : misuses()) {
        if (each.function != function.tree->name) continue;
        for (size_t i = 0; i < parameters.size(); ++i) {
            if (parameters[i].name != each.parameter) continue;
            if (maker_of(elaborator, arguments.find(each.parameter)->value) != each.maker) continue;
            elaborator.definitions.diagnostics->warn(
                Code::likely_misuse, spans[i],
                fmt::format("`{}` of `{}` is a `{}`", each.parameter, each.function, each.maker), "", each.repair);
        }
    }
}

} // namespace gradc
