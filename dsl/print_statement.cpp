// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements, blocks and comments as text. Each statement decides alone whether it is flat or laid out.
#include "dsl/printer.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

using namespace ast;

namespace {

std::string names(const std::vector<Target>& targets) {
    std::string result;
    for (const Target& target : targets) result += (result.empty() ? "" : ", ") + target.name;
    return result;
}

std::string values(const std::vector<ExprRef>& all) {
    std::string result;
    for (const ExprRef& value : all) result += (result.empty() ? "" : ", ") + flat(*value);
    return result;
}

std::string declaration_head(const Declaration& s) {
    std::string result = fmt::format("{} {}", s.state ? "state" : "param", s.target.name);
    if (s.type) result += ": " + flat(*s.type);
    return s.initial ? result + " = " : result;
}
std::string tail(const std::optional<std::string>& saved_as) {
    return saved_as ? " as " + flat(Expr{{}, Text{*saved_as}}) : "";
}
std::string repeat_head(const Repeat& s) {
    return fmt::format("repeat {}{} ", s.index ? s.index->name + " < " : "", flat_bound(*s.count));
}
std::string definition_head(const IndexDefinition& s) { return fmt::format("{}{} = ", s.target.name, flat(s.indices)); }

/// The `if` of an `else if`: the only statement of its block, which has no comments. Null if there is none.
const If* else_if(const Block& block) {
    if (block.statements.size() != 1 || !block.last_comments.empty() || !block.comment.empty()) return nullptr;
    const Statement& only = block.statements[0];
    if (!only.comments.before.empty() || !only.comments.beside.empty()) return nullptr;
    return std::get_if<If>(&only.node);
}

struct FlatStatement {
    std::string operator()(const Assign& s) const {
        return names(s.targets) + " = " + values(s.values) + tail(s.saved_as);
    }
    std::string operator()(const IndexDefinition& s) const { return definition_head(s) + flat(*s.value); }
    std::string operator()(const Update& s) const { return s.target.name + " <- " + flat(*s.value); }
    std::string operator()(const Declaration& s) const {
        return declaration_head(s) + (s.initial ? flat(*s.initial) : "") + tail(s.saved_as);
    }
    std::string operator()(const Return& s) const { return "return " + values(s.values) + tail(s.saved_as); }
    std::string operator()(const Yield& s) const { return "yield " + values(s.values); }
    std::string operator()(const If& s) const {
        std::string result = fmt::format("if {} {}", flat(*s.condition), flat(*s.then));
        if (!s.otherwise) return result;
        const If* chained = else_if(*s.otherwise);
        return result + " else " + (chained ? (*this)(*chained) : flat(*s.otherwise));
    }
    std::string operator()(const Repeat& s) const { return repeat_head(s) + flat(*s.body); }
    std::string operator()(const Evaluate& s) const { return flat(*s.value); }
};

struct LayStatement {
    size_t indent;

    std::string value_after(const std::string& head, const Expr& value, size_t trailing = 0) const {
        return head + lay_out(value, {indent, indent + width(head), trailing});
    }
    std::string values_after(std::string head, const std::vector<ExprRef>& all, const std::string& tail = "") const {
        for (const ExprRef& value : all) {
            if (&value != &all[0]) head += ",";
            bool fits = width(head) + 1 + width(flat(*value)) < line_width - indent;
            if (&value == &all[0] || fits || must_open(*value)) {
                size_t column = head.find('\n') == head.npos ? indent + width(head) : width(head);
                head += " " + lay_out(*value, {indent, column + 1, 1 + width(tail)});
            } else {
                size_t inner = indent + indentation;
                head += "\n" + spaces(inner) + lay_out(*value, {inner, inner, 1 + width(tail)});
            }
        }
        return head + tail;
    }

    std::string operator()(const Assign& s) const {
        std::string end = tail(s.saved_as);
        if (s.values.size() > 1) return values_after(names(s.targets) + " =", s.values, end);
        return value_after(names(s.targets) + " = ", *s.values[0], width(end)) + end;
    }
    std::string operator()(const IndexDefinition& s) const { return value_after(definition_head(s), *s.value); }
    std::string operator()(const Update& s) const { return value_after(s.target.name + " <- ", *s.value); }
    std::string operator()(const Declaration& s) const {
        std::string end = tail(s.saved_as);
        return (s.initial ? value_after(declaration_head(s), *s.initial, width(end)) : declaration_head(s)) + end;
    }
    std::string operator()(const Return& s) const { return values_after("return", s.values, tail(s.saved_as)); }
    std::string operator()(const Yield& s) const { return values_after("yield", s.values); }
    std::string operator()(const If& s) const {
        std::string result = value_after("if ", *s.condition, 2) + " " + lay_out(*s.then, indent);
        if (!s.otherwise) return result;
        const If* chained = else_if(*s.otherwise);
        return result + " else " + (chained ? (*this)(*chained) : lay_out(*s.otherwise, indent));
    }
    std::string operator()(const Repeat& s) const { return repeat_head(s) + lay_out(*s.body, indent); }
    std::string operator()(const Evaluate& s) const { return value_after("", *s.value); }
};

bool any(const std::vector<ExprRef>& all) {
    return std::any_of(all.begin(), all.end(), [](const ExprRef& value) { return must_open(*value); });
}

struct MustOpenStatement {
    bool operator()(const Assign& s) const { return any(s.values); }
    bool operator()(const IndexDefinition& s) const { return must_open(*s.value); }
    bool operator()(const Update& s) const { return must_open(*s.value); }
    bool operator()(const Declaration& s) const { return s.initial && must_open(*s.initial); }
    bool operator()(const Return& s) const { return any(s.values); }
    bool operator()(const Yield& s) const { return any(s.values); }
    bool operator()(const If& s) const {
        if (must_open(*s.condition) || must_open(*s.then)) return true;
        if (!s.otherwise) return false;
        const If* chained = else_if(*s.otherwise);
        return chained ? (*this)(*chained) : must_open(*s.otherwise);
    }
    bool operator()(const Repeat& s) const { return must_open(*s.count) || must_open(*s.body); }
    bool operator()(const Evaluate& s) const { return must_open(*s.value); }
};

bool is_empty(const Block& block) {
    return block.statements.empty() && block.last_comments.empty() && block.comment.empty();
}

std::string without_trailing_space(std::string text) {
    text.erase(text.find_last_not_of(" \t") + 1);
    return text;
}

} // namespace

bool must_open(const decltype(Statement::node)& node) { return std::visit(MustOpenStatement{}, node); }

bool must_open(const Block& block) {
    if (is_empty(block)) return false;
    if (!block.one_line || !block.comment.empty() || !block.last_comments.empty()) return true;
    return std::any_of(block.statements.begin(), block.statements.end(), [](const Statement& statement) {
        return !statement.comments.before.empty() || !statement.comments.beside.empty() || must_open(statement.node);
    });
}

std::string flat(const decltype(Statement::node)& node) { return std::visit(FlatStatement{}, node); }

std::string flat(const Block& block) {
    if (block.statements.empty()) return "{}";
    std::string result = "{ ";
    for (const Statement& statement : block.statements)
        result += (&statement == &block.statements[0] ? "" : "; ") + flat(statement.node);
    return result + " }";
}

std::string comment_lines(const std::vector<std::string>& comments, size_t indent, bool first) {
    std::string result;
    bool blank = first; // no empty line at the beginning, never two
    for (const std::string& comment : comments) {
        if (!comment.empty()) result += without_trailing_space(spaces(indent) + "#" + comment) + "\n";
        else if (!blank) result += "\n";
        blank = comment.empty();
    }
    return result;
}

std::string with_comments(const Comments& comments, const std::string& text, size_t indent, bool first) {
    std::string result = comment_lines(comments.before, indent, first) + spaces(indent) + text;
    if (!comments.beside.empty()) result += without_trailing_space("  #" + comments.beside);
    return result + "\n";
}

std::string braces(const std::string& comment, const std::string& lines, const std::vector<std::string>& last,
                   size_t indent) {
    if (comment.empty() && lines.empty() && last.empty()) return "{}";
    std::string beside = comment.empty() ? "" : without_trailing_space("  #" + comment);
    std::string ending = comment_lines(last, indent + indentation, lines.empty());
    return "{" + beside + "\n" + lines + ending + spaces(indent) + "}";
}

std::string lay_out(const Block& block, size_t indent) {
    std::string lines;
    size_t inner = indent + indentation;
    for (const Statement& statement : block.statements)
        lines += with_comments(statement.comments, print_statement(statement.node, inner), inner, lines.empty());
    return braces(block.comment, lines, block.last_comments, indent);
}

std::string print_statement(const decltype(Statement::node)& node, size_t indent) {
    if (!must_open(node)) {
        std::string text = flat(node);
        if (indent + width(text) <= line_width) return text;
    }
    return std::visit(LayStatement{indent}, node);
}

} // namespace gradc
