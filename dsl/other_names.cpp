// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tables are embedded when gradc is built, and read on first use.
#include "dsl/other_names.h"
#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace gradc {

namespace {

constexpr std::string_view renamed_text =
#include "renamed_names.inc"
    ;
constexpr std::string_view foreign_text =
#include "foreign_names.inc"
    ;

std::string trimmed(std::string_view text) {
    size_t begin = text.find_first_not_of(' ');
    if (begin == text.npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

/// The trimmed parts of each line that is no comment; only the last part may contain the separator.
std::vector<std::vector<std::string>> rows_of(std::string_view text, std::string_view sign, size_t parts) {
    std::vector<std::vector<std::string>> rows;
    while (!text.empty()) {
        size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line[0] == '#') continue;
        auto& row = rows.emplace_back();
        for (size_t at; row.size() + 1 < parts && (at = line.find(sign)) != line.npos;) {
            row.push_back(trimmed(line.substr(0, at)));
            line.remove_prefix(at + sign.size());
        }
        row.push_back(trimmed(line));
        row.resize(parts);
    }
    return rows;
}

/// `BatchNorm` in lower snake case: batch_norm.
std::string lower_snake(std::string_view name) {
    std::string result;
    for (char c : name) {
        bool upper = std::isupper(static_cast<unsigned char>(c));
        if (upper && !result.empty() && std::islower(static_cast<unsigned char>(result.back()))) result += '_';
        result += char(std::tolower(static_cast<unsigned char>(c)));
    }
    return result;
}

std::string filled(std::string repair, std::string_view object) {
    for (size_t at = 0; (at = repair.find("{}", at)) != repair.npos; at += object.size()) repair.replace(at, 2, object);
    return repair;
}

} // namespace

const std::vector<Renamed>& renamed() {
    static const std::vector<Renamed> all = [] {
        std::vector<Renamed> result;
        for (const auto& row : rows_of(renamed_text, " -> ", 2)) {
            size_t dot = row[0].find('.'), colon = row[1].find(": ");
            Renamed& each = result.emplace_back();
            if (dot != row[0].npos) each.function = row[0].substr(0, dot);
            each.old_name = row[0].substr(dot == row[0].npos ? 0 : dot + 1);
            each.new_name = row[1].substr(0, colon);
            if (colon != row[1].npos) each.value = row[1].substr(colon + 2);
        }
        return result;
    }();
    return all;
}

const Renamed* renamed_function(std::string_view name) { return renamed_parameter("", name); }

const Renamed* renamed_parameter(std::string_view function, std::string_view name) {
    const Renamed* owner = function.empty() ? nullptr : renamed_function(function);
    std::string_view today = owner ? std::string_view(owner->new_name) : function;
    for (const Renamed& each : renamed())
        if (each.function == today && each.old_name == name) return &each;
    return nullptr;
}

const std::vector<ForeignName>& foreign_names() {
    static const std::vector<ForeignName> all = [] {
        std::vector<ForeignName> result;
        for (auto& row : rows_of(foreign_text, " | ", 3))
            result.push_back({std::move(row[0]), std::move(row[1]), std::move(row[2])});
        return result;
    }();
    return all;
}

namespace {

const ForeignName* find(std::string_view kind, std::string_view word) {
    for (const ForeignName& each : foreign_names())
        if (each.kind == kind && each.word == word) return &each;
    return nullptr;
}

} // namespace

std::string foreign_repair(std::string_view kind, std::string_view word) {
    auto found = find(kind, word);
    return found ? found->repair : "";
}

std::string foreign_argument(std::string_view word, const std::vector<std::string>& known) {
    std::string names = foreign_repair("argument", word);
    while (!names.empty()) {
        size_t comma = std::min(names.find(','), names.size());
        std::string name = trimmed(names.substr(0, comma));
        if (std::find(known.begin(), known.end(), name) != known.end()) return name;
        names.erase(0, comma + 1);
    }
    return {};
}

std::optional<ForeignMember> foreign_member(const ast::Expr& expression, const Sources& sources) {
    auto member = std::get_if<ast::Member>(&expression.node);
    if (!member) return {};
    const ast::Expr* root = member->object.get();
    while (auto further = std::get_if<ast::Member>(&root->node)) root = further->object.get();
    auto name = std::get_if<ast::Name>(&root->node);
    auto object = name ? find("object", name->name) : nullptr;
    if (object && object->repair != "-")
        return ForeignMember{root->span, fmt::format("there is no `{}`", name->name), object->repair};
    if (object) {
        std::string repair = foreign_repair("call", member->name);
        if (repair.empty()) repair = fmt::format("write `{}` alone", lower_snake(member->name));
        return ForeignMember{
            expression.span,
            fmt::format("`{}` is not part of the language: functions have no prefix", sources.text(expression.span)),
            repair};
    }
    std::string repair = foreign_repair("member", member->name);
    if (repair.empty()) return {};
    return ForeignMember{member->name_span, fmt::format("values have no `.{}`", member->name),
                         filled(repair, sources.text(member->object->span))};
}

} // namespace gradc
