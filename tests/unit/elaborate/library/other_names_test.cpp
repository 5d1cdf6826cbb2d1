// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tables of foreign and old names (dsl/std/foreign.txt, dsl/std/renamed.txt): each name is written at a likely
// place and must give its repair there.
#include "compiler/elaborate/builtins.h"
#include "dsl/other_names.h"
#include "tests/support/model_text.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <set>

using namespace gradc;

namespace {

/// A file with one wrong word, its place, and the expected message.
struct Case {
    std::string text;
    uint32_t line, column;
    std::string repair;
};

/// A model with this line, whose place of interest is `column`.
Case in_model(const std::string& line, uint32_t column, const std::string& repair) {
    return {fmt::format("model m(x: f32[N, 4]) {{\n{}\n    return x\n}}\n", line), 2, column, repair};
}

std::string with_x(std::string repair) {
    for (size_t at; (at = repair.find("{}")) != repair.npos;) repair.replace(at, 2, "x");
    return repair;
}

std::vector<Case> cases_of(const ForeignName& name) {
    const std::string &word = name.word, &repair = name.repair;
    if (name.kind == "word")
        return {in_model(fmt::format("    {} y = 1", word), 5, repair),
                in_model(fmt::format("    z = {} y", word), 9, repair)};
    if (name.kind == "operator" && word == "!") return {in_model("    y = !x", 9, repair)};
    if (name.kind == "operator") return {in_model(fmt::format("    y = abs(x {} x)", word), 15, repair)};
    if (name.kind == "type")
        return {{fmt::format("model m(x: {}[N]) = x\n", word), 1, 12, repair},
                in_model(fmt::format("    y = cast(x, {})", word), 17, fmt::format("write `{}`", repair))};
    if (name.kind == "object")
        return {in_model(fmt::format("    y = {}.thing(x)", word), 9, repair == "-" ? "write `thing` alone" : repair),
                in_model(fmt::format("    y = {}.thing", word), 9, repair == "-" ? "write `thing` alone" : repair),
                in_model(fmt::format("    {}.thing = x", word), 5, repair == "-" ? "write `thing` alone" : repair)};
    if (name.kind == "call")
        return {in_model(fmt::format("    y = {}(x)", word), 9, repair),
                in_model(fmt::format("    y = nn.{}(x)", word), 9, repair)};
    if (name.kind == "value") return {in_model(fmt::format("    y = {}", word), 9, repair)};
    if (name.kind == "member")
        return {in_model(fmt::format("    y = x.{}", word), 11, with_x(repair)),
                in_model(fmt::format("    y = x.{}(1)", word), 11, with_x(repair))};
    if (name.kind == "setting") return {{fmt::format("train {{\n    {} 3\n}}\n", word), 2, 5, repair}};
    if (name.kind == "size") return {in_model(fmt::format("    y = reshape(x, [N, {}])", word), 20, repair)};
    std::vector<Case> result;
    for (std::string rest = repair; name.kind == "argument" && !rest.empty();) {
        std::string meant = rest.substr(0, rest.find(','));
        rest.erase(0, std::min(rest.size(), meant.size() + 2));
        result.push_back(in_model(fmt::format("    y = g({}: x)", word), 11, fmt::format("write `{}: ..`", meant)));
        result.back().text += fmt::format("fn g({0}) = {0}\n", meant);
    }
    return result;
}

bool said(const ModelText& text, const Case& wanted) {
    for (const Diagnostic& each : text.diagnostics.all()) {
        Place place = text.sources.place(each.span.source, each.span.begin);
        if (place.line == wanted.line && place.column == wanted.column &&
            each.repair.find(wanted.repair) != std::string::npos)
            return true;
    }
    return false;
}

/// A call of the library's function with a value of `maker` for its first argument.
ModelText misused(const std::string& function, const std::string& maker, const std::string& other) {
    return ModelText(fmt::format("model m(x: f32[N, 4], label: int[N] < 4, t: f32[N, 4]) {{\n"
                                 "    p = {}(x{})\n    return {}(p, {})\n}}\n",
                                 maker, maker == "linear" ? ", 4" : "", function, other));
}

} // namespace

TEST_CASE("each foreign name gives its repair at its place") {
    CHECK(foreign_names().size() > 60);
    std::set<std::string> seen;
    for (const ForeignName& name : foreign_names()) {
        INFO(name.kind << " " << name.word);
        CHECK(seen.insert(name.kind + " " + name.word).second);
        CHECK(!name.repair.empty());
        if (name.kind == "misuse") continue;
        auto cases = cases_of(name);
        CHECK(!cases.empty());
        for (const Case& each : cases) {
            ModelText text(each.text);
            INFO(each.text << "wanted: " << each.repair << "\n" << text.errors());
            CHECK(!text.job);
            CHECK(said(text, each));
        }
    }
}

TEST_CASE("each misuse is a warning at the argument") {
    for (const ForeignName& name : foreign_names()) {
        if (name.kind != "misuse") continue;
        INFO(name.word);
        std::string function = name.word.substr(0, name.word.find('.'));
        std::string maker = name.word.substr(name.word.find(' ') + 1);
        ModelText classes = misused(function, maker, "label"), shares = misused(function, maker, "t");
        const ModelText& text = classes.job && !classes.diagnostics.warnings().empty() ? classes : shares;
        INFO(text.errors());
        CHECK(text.job);
        REQUIRE(text.diagnostics.warnings().size() == 1);
        const Diagnostic& warning = text.diagnostics.warnings()[0];
        Place place = text.sources.place(warning.span.source, warning.span.begin);
        CHECK((place.line == 3 && place.column == 13 + function.size()));
        CHECK(warning.repair == name.repair);
        CHECK(text.errors().find("warning: ") != std::string::npos);
    }
}

TEST_CASE("a value that is no softmax gives no warning, one behind a reshape does") {
    auto warnings = [](const std::string& value) {
        ModelText text(fmt::format("model net(x: f32[N, 4]) {{ return softmax(linear(x, 4)) }}\n"
                                   "model m(x: f32[N, 4], label: int[N] < 4) {{ return cross_entropy({}, label) }}\n",
                                   value));
        INFO(text.errors());
        CHECK(text.job);
        return text.diagnostics.warnings().size();
    };
    CHECK(warnings("x") == 0);
    CHECK(warnings("linear(softmax(x), 4)") == 0);
    CHECK(warnings("3 * softmax(x)") == 0);
    CHECK(warnings("net(x)") == 1);
    CHECK(warnings("reshape(softmax(reshape(x, [N, 2, 2])), [N, 4])") == 1);
}

TEST_CASE("each old name gives the new one, which the library has") {
    Sources sources;
    MemoryReader reader;
    Diagnostics diagnostics;
    Definitions definitions(sources, reader, {}, diagnostics);
    definitions.load(sources.add({"main.grad", "model m() { return 1 }"}));
    auto parameters = [&](const std::string& function) {
        std::set<std::string> names;
        if (auto entry = definitions.find_function(function, definitions.main_module))
            for (const ast::Parameter& each : entry->tree->parameters) names.insert(each.name);
        if (auto builtin = find_builtin(function)) names.insert(builtin->parameters.begin(), builtin->parameters.end());
        return names;
    };
    for (const Renamed& each : renamed()) {
        INFO(each.function << "." << each.old_name);
        std::string function = each.function.empty() ? each.new_name : each.function;
        auto known = parameters(function);
        REQUIRE(!known.empty());
        CHECK(definitions.find_function(each.old_name, definitions.main_module) == nullptr);
        auto entry = definitions.find_function(function, definitions.main_module);
        bool optimizer = entry && entry->tree->kind == ast::FunctionKind::optimizer;
        if (!each.function.empty()) CHECK((known.count(each.new_name) == 1 && known.count(each.old_name) == 0));
        std::string call =
            each.function.empty() ? each.old_name + "(x)" : fmt::format("{}({}: x)", function, each.old_name);
        const char* trained = "dataset d {{ x = [1, 2] }}\n"
                              "model m(x: f32[N]) {{ param w = 1;  return mean(w * x) }}\n"
                              "train {{\n data d\n loss m(x)\n optimizer {}\n}}\n";
        const char* called = "model m(x: f32[N, 4]) {{ return {} }}\n";
        ModelText text(fmt::format(fmt::runtime(optimizer ? trained : called), call));
        INFO(text.errors());
        CHECK(text.errors().find(fmt::format("it is called `{}`", each.new_name)) != std::string::npos);
    }
}

TEST_CASE("the error for an unknown name lists the known ones") {
    auto errors = [](const std::string& call) {
        return ModelText(fmt::format("model m(x: f32[N, 4]) {{ return {} }}\n", call)).errors();
    };
    std::string parameters = errors("conv2d(reshape(x, [N, 2, 2, 1]), 3, zzzzzz: 1)");
    CHECK(parameters.find("it has x, filters, kernel_size, stride, padding") != std::string::npos);
    std::string listing = errors("zzzzzzzzzz(x)");
    for (const char* part : {"metrics: accuracy, argmax", "attention: attention, masked_softmax", "layers: batch_norm",
                             "optimizers: adadelta", "main: m"})
        CHECK(listing.find(part) != std::string::npos);
    CHECK(listing.find("_within") == std::string::npos);
    CHECK(errors("_within(x, 0, 1)").find("unknown function") != std::string::npos);
}
