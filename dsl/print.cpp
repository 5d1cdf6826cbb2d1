// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files as text: declarations, datasets and train blocks. The values of settings on neighboring lines are aligned in
// one column.
#include "dsl/print.h"
#include "dsl/printer.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

using namespace ast;

namespace {

using gradc::must_open; // beside the overloads here

std::string join_with(const std::vector<std::string>& parts, std::string_view between) {
    return fmt::format("{}", fmt::join(parts, between));
}

std::string text_literal(const std::string& value) { return flat(Expr{{}, Text{value}}); }

// ---- functions

std::string signature(const Function& function) {
    constexpr std::string_view words[] = {"fn", "model", "optimizer"};
    std::vector<std::string> parameters, results;
    for (const Parameter& each : function.parameters) {
        std::string text = each.name;
        if (each.type) text += ": " + flat(*each.type);
        if (each.initial) text += " = " + flat(*each.initial);
        parameters.push_back(std::move(text));
    }
    for (const TypeExpr& type : function.results) results.push_back(flat(type));
    std::string head = fmt::format("{} {}(", words[static_cast<size_t>(function.kind)], function.name);
    std::string tail = ")";
    if (!results.empty()) tail += " -> " + join_with(results, ", ");
    std::string line = head + join_with(parameters, ", ") + tail;
    constexpr size_t brace = 2;
    if (width(line) + brace <= line_width || parameters.empty()) return line;
    return head + "\n" + spaces(indentation) + join_with(parameters, ",\n" + spaces(indentation)) + "\n" + tail;
}

bool must_open(const Function& function) {
    if (function.body && must_open(*function.body)) return true;
    if (function.value && must_open(*function.value)) return true;
    return std::any_of(function.derivatives.begin(), function.derivatives.end(),
                       [](const Derivative& each) { return must_open(*each.value); });
}

/// The words before a clause that begins a list of its kind; "" for a clause that continues the list.
std::string opening_word(const Function& function, const Derivative& clause) {
    bool first = &clause == &function.derivatives[0];
    if (!first && (&clause)[-1].surrogate == clause.surrogate) return "";
    return clause.surrogate ? "surrogate derivative " : "derivative ";
}

std::string flat_function(const Function& function) {
    std::string result = signature(function);
    if (function.value) result += " = " + flat(*function.value);
    if (function.body) result += " " + flat(*function.body);
    for (const Derivative& each : function.derivatives) {
        std::string word = opening_word(function, each);
        result += (word.empty() ? ", " : "  ") + word + each.parameter + ": " + flat(*each.value);
    }
    return result;
}

std::string lay_out_value(std::string head, const Expr& value) {
    head += " = ";
    bool scan = std::holds_alternative<Scan>(value.node);
    if (scan || (!must_open(value) && width(head) + width(flat(value)) <= line_width))
        return head + lay_out(value, {0, width(head), 0});
    head.back() = '\n';
    return head + spaces(indentation) + lay_out(value, {indentation, indentation, 0});
}

std::string print_function(const Function& function) {
    if (!must_open(function)) {
        std::string line = flat_function(function);
        if (line.find('\n') == line.npos && width(line) <= line_width) return line;
    }
    std::string result = signature(function);
    if (function.value) result = lay_out_value(result, *function.value);
    if (function.body) result += " " + lay_out(*function.body, 0);
    size_t inset = 0; // of a clause that continues the list above it
    for (const Derivative& each : function.derivatives) {
        std::string word = opening_word(function, each);
        if (!word.empty()) inset = indentation + width(word);
        std::string head = word + each.parameter + ": ";
        size_t indent = word.empty() ? inset : indentation;
        result += (word.empty() ? ",\n" : "\n") + spaces(indent) + head;
        result += lay_out(*each.value, {indent, indent + width(head), 1});
    }
    return result;
}

// ---- the other declarations

std::string print_constants(const Constants& constants) {
    std::vector<std::string> laid;
    bool open = false;
    std::string line = "const ";
    for (const Constant& each : constants.all) {
        std::string head = each.target.name + " = ";
        line += (laid.empty() ? "" : ", ") + head + flat(*each.value);
        open |= must_open(*each.value);
        laid.push_back(head + lay_out(*each.value, {indentation, indentation + width(head), 1}));
    }
    if (!open && width(line) <= line_width) return line;
    return "const " + join_with(laid, ",\n" + spaces(indentation));
}

std::string print_rule(const Rule& rule) {
    std::string line =
        fmt::format("rule {} {} -> {}", rule.exact ? "exact" : "fast", flat(*rule.left), flat(*rule.right));
    if (rule.condition) line += " when " + flat(*rule.condition);
    bool open = must_open(*rule.left) || must_open(*rule.right) || (rule.condition && must_open(*rule.condition));
    if (!open && width(line) <= line_width) return line;
    std::string result = rule.exact ? "rule exact " : "rule fast ";
    result += lay_out(*rule.left, {0, result.size(), 3}) + " ->\n" + spaces(indentation);
    result += lay_out(*rule.right, {indentation, indentation, 0});
    if (rule.condition) result += " when " + lay_out(*rule.condition, {indentation, width(result) + 6, 0});
    return result;
}

struct DatasetLine {
    std::string operator()(const Field& field) const { return head(field) + flat(*field.value); }
    std::string operator()(const Split& split) const {
        std::vector<std::string> parts;
        for (const SplitPart& part : split.parts) parts.push_back(part.name + ": " + flat(*part.fraction));
        if (split.in_order) parts.emplace_back("in order");
        return "split " + join_with(parts, ", ");
    }
    static std::string head(const Field& field) {
        std::string by = field.indices.empty() ? "" : flat(field.indices);
        auto typed = [](const std::optional<TypeExpr>& type) { return type ? ": " + flat(*type) : ""; };
        std::string result = field.target.name + by + typed(field.type);
        for (const FieldName& other : field.others) result += ", " + other.target.name + typed(other.type);
        return result + " = ";
    }
};

bool must_open(const DatasetItem& item) {
    if (const auto* field = std::get_if<Field>(&item.node)) return must_open(*field->value);
    const auto& parts = std::get<Split>(item.node).parts;
    return std::any_of(parts.begin(), parts.end(), [](const SplitPart& part) { return must_open(*part.fraction); });
}

std::string flat_item(const DatasetItem& item) { return std::visit(DatasetLine{}, item.node); }

std::string lay_out_item(const DatasetItem& item, size_t) {
    const auto* field = std::get_if<Field>(&item.node);
    if (field) {
        std::string head = DatasetLine::head(*field);
        return head + lay_out(*field->value, {indentation, indentation + width(head), 0});
    }
    std::string result = "split";
    const Split& split = std::get<Split>(item.node);
    for (const SplitPart& part : split.parts) {
        result += fmt::format("{} {}: ", &part == &split.parts[0] ? "" : ",", part.name);
        result += lay_out(*part.fraction, {indentation, indentation + width(result), 2});
    }
    if (split.in_order) result += split.parts.empty() ? " in order" : ", in order";
    return result;
}

// ---- train blocks

std::string setting_head(const Setting& setting, size_t key_width) {
    std::string head = setting.key + spaces(std::max(key_width, setting.key.size()) - setting.key.size() + 1);
    return setting.label ? head + setting.label->name + " = " : head;
}
/// In quotes if its characters are not those of a name.
std::string pattern_text(const std::string& pattern) {
    auto plain = [](char c) { return isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '*'; };
    bool bare =
        !pattern.empty() && std::all_of(pattern.begin(), pattern.end(), plain) && pattern.find("..") == pattern.npos;
    return bare ? pattern : text_literal(pattern);
}
std::string setting_tail(const Setting& setting) {
    std::string result;
    for (const Target& pattern : setting.on)
        result += (!result.empty() ? ", " : setting.value ? " on " : "") + pattern_text(pattern.name);
    return result;
}

bool must_open(const TrainItem& item) {
    if (const auto* setting = std::get_if<Setting>(&item.node)) return setting->value && must_open(*setting->value);
    return must_open(std::get<Statement>(item.node).node);
}

std::string flat_item(const TrainItem& item) {
    const auto* setting = std::get_if<Setting>(&item.node);
    if (!setting) return flat(std::get<Statement>(item.node).node);
    return setting_head(*setting, 0) + (setting->value ? flat(*setting->value) : "") + setting_tail(*setting);
}

std::string lay_out_item(const TrainItem& item, size_t key_width) {
    const auto* setting = std::get_if<Setting>(&item.node);
    if (!setting) return print_statement(std::get<Statement>(item.node).node, indentation);
    std::string head = setting_head(*setting, key_width), tail = setting_tail(*setting);
    if (!setting->value) return head + tail;
    return head + lay_out(*setting->value, {indentation, indentation + width(head), width(tail)}) + tail;
}

size_t key_width_of(const DatasetItem&) { return 0; }
size_t key_width_of(const TrainItem& item) {
    const auto* setting = std::get_if<Setting>(&item.node);
    return setting ? setting->key.size() : 0;
}

/// For each item, the width of the widest key among the adjacent settings.
template <typename Line> std::vector<size_t> key_columns(const std::vector<Line>& items) {
    std::vector<size_t> widths(items.size());
    for (size_t begin = 0; begin < items.size();) {
        size_t end = begin, widest = 0;
        for (; end < items.size() && key_width_of(items[end]) > 0; ++end) {
            if (end > begin && !items[end].comments.before.empty()) break;
            widest = std::max(widest, key_width_of(items[end]));
        }
        end = std::max(end, begin + 1);
        std::fill(widths.begin() + static_cast<ptrdiff_t>(begin), widths.begin() + static_cast<ptrdiff_t>(end), widest);
        begin = end;
    }
    return widths;
}

// ---- bodies of datasets and train blocks

template <typename Body> bool body_must_open(const Body& body) {
    bool empty = body.items.empty() && body.last_comments.empty() && body.comment.empty();
    if (empty) return false;
    if (!body.one_line || !body.last_comments.empty() || !body.comment.empty()) return true;
    return std::any_of(body.items.begin(), body.items.end(), [](const auto& item) {
        return !item.comments.before.empty() || !item.comments.beside.empty() || must_open(item);
    });
}

template <typename Body> std::string print_body(const std::string& head, const Body& body) {
    if (!body_must_open(body)) {
        std::vector<std::string> parts;
        for (const auto& item : body.items) parts.push_back(flat_item(item));
        std::string line = head + (parts.empty() ? " {}" : " { " + join_with(parts, "; ") + " }");
        if (width(line) <= line_width) return line;
    }
    std::vector<size_t> widths = key_columns(body.items);
    std::string lines;
    for (size_t i = 0; i < body.items.size(); ++i)
        lines += with_comments(body.items[i].comments, lay_out_item(body.items[i], widths[i]), indentation, i == 0);
    return head + " " + braces(body.comment, lines, body.last_comments, 0);
}

struct ItemText {
    std::string operator()(const Use& use) const { return "use " + text_literal(use.path); }
    std::string operator()(const Constants& constants) const { return print_constants(constants); }
    std::string operator()(const Function& function) const { return print_function(function); }
    std::string operator()(const Rule& rule) const { return print_rule(rule); }
    std::string operator()(const Dataset& dataset) const { return print_body("dataset " + dataset.name, dataset); }
    std::string operator()(const Train& train) const {
        return print_body(train.name.empty() ? "train" : "train " + train.name, train);
    }
};

} // namespace

std::string print(const Module& module) {
    std::string result;
    for (const Item& item : module.items)
        result += with_comments(item.comments, std::visit(ItemText{}, item.node), 0, result.empty());
    return result + comment_lines(module.last_comments, 0, result.empty());
}

} // namespace gradc
