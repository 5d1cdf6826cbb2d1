// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions as text. Brackets are written only if the precedence needs them. Long calls, lists and chains of
// operators are broken inside brackets and after operators, where line breaks are ignored.
#include "dsl/print.h"
#include "dsl/printer.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

using namespace ast;

namespace {

/// The parser's binding strength, with the unary minus between products and powers.
enum Strength { entry, disjunction, conjunction, negation, comparison, sum, product, sign, power, primary };

struct Operator {
    std::string_view text;
    Strength strength;
};

Operator describe(BinaryOperator op) {
    switch (op) {
    case BinaryOperator::logical_or: return {"or", disjunction};
    case BinaryOperator::logical_and: return {"and", conjunction};
    case BinaryOperator::equal: return {"==", comparison};
    case BinaryOperator::not_equal: return {"!=", comparison};
    case BinaryOperator::less: return {"<", comparison};
    case BinaryOperator::less_equal: return {"<=", comparison};
    case BinaryOperator::greater: return {">", comparison};
    case BinaryOperator::greater_equal: return {">=", comparison};
    case BinaryOperator::add: return {"+", sum};
    case BinaryOperator::subtract: return {"-", sum};
    case BinaryOperator::multiply: return {"*", product};
    case BinaryOperator::divide: return {"/", product};
    case BinaryOperator::floor_divide: return {"//", product};
    case BinaryOperator::modulo: return {"%", product};
    case BinaryOperator::matmul: return {"@", product};
    case BinaryOperator::power: return {"^", power};
    }
    return {"?", primary};
}

Strength strength_of(const Expr& expr) {
    if (const auto* binary = std::get_if<Binary>(&expr.node)) return describe(binary->op).strength;
    if (const auto* unary = std::get_if<Unary>(&expr.node)) return unary->op == UnaryOperator::negate ? sign : negation;
    bool is_entry = std::holds_alternative<Range>(expr.node) || std::holds_alternative<Slice>(expr.node) ||
                    std::holds_alternative<Ellipsis>(expr.node) || std::holds_alternative<Scan>(expr.node);
    return is_entry ? entry : primary;
}

/// The weakest operators that need no brackets on the left and right of an operator.
struct Sides {
    Strength left, right;
};
Sides sides(Strength op) {
    auto above = [](Strength s) { return static_cast<Strength>(s + 1); };
    if (op == power) return {primary, sign};               // right-associative, 2^-1
    return {op == comparison ? above(op) : op, above(op)}; // comparisons cannot be chained
}

bool is_atom(const Expr& expr) {
    return std::holds_alternative<Name>(expr.node) || std::holds_alternative<Number>(expr.node);
}

/// True for operators without spaces: powers always, a * b directly inside [ ] if both sides are names or numbers.
bool is_tight(const Binary& binary, bool tight) {
    Strength strength = describe(binary.op).strength;
    bool shown_tight = strength == product && binary.op != BinaryOperator::matmul;
    return strength == power || (tight && shown_tight && is_atom(*binary.left) && is_atom(*binary.right));
}

std::string operand(const ExprRef& expr, Strength weakest, bool tight) {
    bool bare = strength_of(*expr) >= weakest;
    return bare ? flat(*expr, tight) : fmt::format("({})", flat(*expr));
}

std::string number_text(const Number& number) {
    std::string text = number.text.empty() ? fmt::format("{}", number.value) : number.text;
    if (text.starts_with('.')) text.insert(0, "0");
    size_t point = text.find('.');
    if (point != text.npos && (point + 1 == text.size() || text[point + 1] == 'e' || text[point + 1] == 'E'))
        text.insert(point + 1, "0");
    return text;
}

std::string text_literal(const std::string& value) {
    std::string result = "\"";
    for (char c : value) {
        if (c == '\n') result += "\\n";
        else if (c == '\t') result += "\\t";
        else if (c == '"' || c == '\\') result.append({'\\', c});
        else result += c;
    }
    return result + '"';
}

std::string list(const std::vector<ExprRef>& items, bool tight) {
    std::string result;
    for (const ExprRef& item : items) result += (result.empty() ? "" : ", ") + flat(*item, tight);
    return result;
}

std::string argument_name(const Argument& argument) { return argument.name ? *argument.name + ": " : std::string{}; }

std::string scan_head(const Scan& scan) { return fmt::format("scan {} < {}", scan.index, flat_bound(*scan.bound)); }

struct Flat {
    bool tight;

    std::string operator()(const Number& n) const { return number_text(n); }
    std::string operator()(const Text& n) const { return text_literal(n.value); }
    std::string operator()(const Name& n) const { return n.name; }
    std::string operator()(const Ellipsis&) const { return ".."; }
    std::string operator()(const Range& n) const;
    std::string operator()(const Slice& n) const;
    std::string operator()(const Unary& n) const;
    std::string operator()(const Transpose& n) const { return operand(n.operand, primary, tight) + "'"; }
    std::string operator()(const Binary& n) const;
    std::string operator()(const Member& n) const { return operand(n.object, primary, tight) + "." + n.name; }
    std::string operator()(const Index& n) const;
    std::string operator()(const Call& n) const;
    std::string operator()(const List& n) const { return "[" + list(n.items, true) + "]"; }
    std::string operator()(const Scan& n) const;
};

std::string Flat::operator()(const Range& n) const {
    return operand(n.first, disjunction, tight) + ".." + operand(n.last, disjunction, tight);
}

std::string Flat::operator()(const Slice& n) const {
    std::string result = (n.start ? operand(n.start, disjunction, tight) : "") + ":";
    if (n.stop) result += operand(n.stop, disjunction, tight);
    if (n.step) result += ":" + operand(n.step, disjunction, tight);
    return result;
}

std::string Flat::operator()(const Unary& n) const {
    if (n.op == UnaryOperator::logical_not) return "not " + operand(n.operand, negation, tight);
    return "-" + operand(n.operand, power, tight); // -(-x)
}

std::string Flat::operator()(const Binary& n) const {
    Operator op = describe(n.op);
    Sides weakest = sides(op.strength);
    std::string_view space = is_tight(n, tight) ? "" : " ";
    return fmt::format("{}{}{}{}{}", operand(n.left, weakest.left, tight), space, op.text, space,
                       operand(n.right, weakest.right, tight));
}

std::string Flat::operator()(const Index& n) const {
    return fmt::format("{}[{}]", operand(n.object, primary, tight), list(n.items, true));
}

std::string Flat::operator()(const Call& n) const {
    std::string arguments;
    for (const Argument& each : n.arguments)
        arguments += (arguments.empty() ? "" : ", ") + argument_name(each) + flat(*each.value);
    return fmt::format("{}{}({})", n.callee, n.indexed ? flat(n.indices) : "", arguments);
}

std::string Flat::operator()(const Scan& n) const {
    std::string result = scan_head(n);
    for (const Carried& each : n.carried)
        result += fmt::format("{} {} = {}", &each == &n.carried[0] ? " with" : ",", each.name, flat(*each.initial));
    return result + " " + flat(*n.body);
}

// ---- laid out

/// True if the expression contains a block, which is opened when the statement is laid out.
bool has_block(const Expr& expr);
bool has_block(const ExprRef& expr) { return expr && has_block(*expr); }

template <typename Items, typename Member> bool any_block(const Items& items, Member member) {
    return std::any_of(items.begin(), items.end(), [&](const auto& item) { return has_block(item.*member); });
}

struct HasBlock {
    bool operator()(const Unary& n) const { return has_block(n.operand); }
    bool operator()(const Transpose& n) const { return has_block(n.operand); }
    bool operator()(const Binary& n) const { return has_block(n.left) || has_block(n.right); }
    bool operator()(const Member& n) const { return has_block(n.object); }
    bool operator()(const Range& n) const { return has_block(n.first) || has_block(n.last); }
    bool operator()(const Slice& n) const { return has_block(n.start) || has_block(n.stop) || has_block(n.step); }
    bool operator()(const Index& n) const {
        return has_block(n.object) || std::any_of(n.items.begin(), n.items.end(), [](auto& e) { return has_block(e); });
    }
    bool operator()(const Call& n) const { return any_block(n.arguments, &Argument::value); }
    bool operator()(const List& n) const {
        return std::any_of(n.items.begin(), n.items.end(), [](auto& e) { return has_block(e); });
    }
    bool operator()(const Scan&) const { return true; }
    template <typename Leaf> bool operator()(const Leaf&) const { return false; }
};
bool has_block(const Expr& expr) { return std::visit(HasBlock{}, expr.node); }

bool fits(std::string_view text, Room room) { return room.column + width(text) + room.trailing <= line_width; }

/// The column after `text`, which began at `column`.
size_t column_behind(std::string_view text, size_t column) {
    return text.find('\n') == text.npos ? column + width(text) : width(text);
}

std::string lay_out_operand(const Expr& expr, Strength weakest, Room room) {
    if (strength_of(expr) >= weakest) return lay_out(expr, room);
    return "(" + lay_out(expr, {room.indent, room.column + 1, room.trailing + 1}) + ")";
}

struct Entry {
    std::string name; // of an argument, with its colon
    const Expr* value;
};

/// `open`, each entry on a line of its own (with `fill`: as many per line as fit), `close`.
std::string enclosed(std::string_view open, const std::vector<Entry>& entries, std::string_view close, size_t indent,
                     bool fill) {
    size_t inner = indent + indentation;
    std::string result(open), line;
    for (size_t i = 0; i < entries.size(); ++i) {
        bool last = i + 1 == entries.size();
        std::string text = entries[i].name + lay_out(*entries[i].value, {inner, inner + width(entries[i].name), 1});
        if (!last) text += ",";
        if (i == 0) result += "\n" + spaces(inner) + text;
        else if (fill && column_behind(result, 0) + 1 + width(text) <= line_width) result += " " + text;
        else result += "\n" + spaces(inner) + text;
    }
    return result + "\n" + spaces(indent) + std::string(close);
}

std::vector<Entry> entries_of(const std::vector<ExprRef>& items) {
    std::vector<Entry> entries;
    for (const ExprRef& item : items) entries.push_back({{}, item.get()});
    return entries;
}

bool all_short(const std::vector<ExprRef>& items) {
    return std::all_of(items.begin(), items.end(), [](const ExprRef& item) {
        const auto* unary = std::get_if<Unary>(&item->node);
        return is_atom(unary ? *unary->operand : *item);
    });
}

struct Lay {
    Room room;

    std::string operator()(const Unary& n) const;
    std::string operator()(const Transpose& n) const { return lay_out_operand(*n.operand, primary, behind(1)) + "'"; }
    std::string operator()(const Member& n) const;
    std::string operator()(const Index& n) const;
    std::string operator()(const Call& n) const;
    std::string operator()(const List& n) const;
    std::string operator()(const Binary& n) const;
    std::string operator()(const Scan& n) const;
    template <typename Leaf> std::string operator()(const Leaf& n) const { return Flat{false}(n); }

    Room behind(size_t trailing) const { return {room.indent, room.column, room.trailing + trailing}; }
};

std::string Lay::operator()(const Unary& n) const {
    std::string sign_text = n.op == UnaryOperator::negate ? "-" : "not ";
    Room behind{room.indent, room.column + sign_text.size(), room.trailing};
    return sign_text + lay_out_operand(*n.operand, n.op == UnaryOperator::negate ? power : negation, behind);
}

std::string Lay::operator()(const Member& n) const {
    return lay_out_operand(*n.object, primary, behind(n.name.size() + 1)) + "." + n.name;
}

std::string Lay::operator()(const Index& n) const {
    std::string items = "[" + list(n.items, true) + "]";
    bool broken = std::any_of(n.items.begin(), n.items.end(), [](const ExprRef& e) { return has_block(*e); });
    if (!broken && width(items) < line_width / 2)
        return lay_out_operand(*n.object, primary, behind(width(items))) + items;
    return lay_out_operand(*n.object, primary, behind(1)) +
           enclosed("[", entries_of(n.items), "]", room.indent, all_short(n.items));
}

std::string Lay::operator()(const Call& n) const {
    std::vector<Entry> entries;
    for (const Argument& each : n.arguments) entries.push_back({argument_name(each), each.value.get()});
    std::string head = n.callee + (n.indexed ? flat(n.indices) : "");
    if (entries.empty()) return head + "()";
    return enclosed(head + "(", entries, ")", room.indent, false);
}

std::string Lay::operator()(const List& n) const {
    return n.items.empty() ? "[]" : enclosed("[", entries_of(n.items), "]", room.indent, all_short(n.items));
}

std::string Lay::operator()(const Scan& n) const {
    std::string result = scan_head(n);
    for (const Carried& each : n.carried) {
        result += fmt::format("{} {} = ", &each == &n.carried[0] ? " with" : ",", each.name);
        result += lay_out(*each.initial, {room.indent, column_behind(result, room.column), 2});
    }
    return result + " " + lay_out(*n.body, room.indent);
}

/// a + b - c: operands of operators of one strength fill the lines; lines end in operators.
std::string Lay::operator()(const Binary& n) const {
    Strength strength = describe(n.op).strength;
    Sides weakest = sides(strength);
    if (strength == power) {
        std::string base = lay_out_operand(*n.left, weakest.left, behind(1)) + "^";
        return base +
               lay_out_operand(*n.right, weakest.right, {room.indent, column_behind(base, room.column), room.trailing});
    }
    std::vector<const Binary*> chain{&n}; // outermost first
    while (strength != comparison) {
        const auto* left = std::get_if<Binary>(&chain.back()->left->node);
        if (!left || describe(left->op).strength != strength) break;
        chain.push_back(left);
    }
    std::reverse(chain.begin(), chain.end());
    std::string result = lay_out_operand(*chain[0]->left, weakest.left, behind(2));
    size_t inner = room.indent + indentation;
    for (const Binary* each : chain) {
        result += fmt::format(" {}", describe(each->op).text);
        size_t column = column_behind(result, room.column) + 1, trailing = room.trailing + 2;
        std::string text = has_block(each->right) ? "" : operand(each->right, weakest.right, false);
        if (!text.empty() && fits(text, {inner, column, trailing})) {
            result += " " + text;
        } else {
            result += "\n" + spaces(inner) + lay_out_operand(*each->right, weakest.right, {inner, inner, trailing});
        }
    }
    return result;
}

struct MustOpen {
    bool all(const std::vector<ExprRef>& items) const {
        return std::any_of(items.begin(), items.end(), [](const ExprRef& item) { return must_open(*item); });
    }
    bool one(const ExprRef& expr) const { return expr && must_open(*expr); }

    bool operator()(const Range& n) const { return one(n.first) || one(n.last); }
    bool operator()(const Slice& n) const { return one(n.start) || one(n.stop) || one(n.step); }
    bool operator()(const Unary& n) const { return one(n.operand); }
    bool operator()(const Transpose& n) const { return one(n.operand); }
    bool operator()(const Binary& n) const { return one(n.left) || one(n.right); }
    bool operator()(const Member& n) const { return one(n.object); }
    bool operator()(const Index& n) const { return one(n.object) || all(n.items); }
    bool operator()(const Call& n) const {
        return std::any_of(n.arguments.begin(), n.arguments.end(), [&](const auto& each) { return one(each.value); }) ||
               std::any_of(n.indices.begin(), n.indices.end(), [&](const auto& each) { return one(each.bound); });
    }
    bool operator()(const List& n) const { return all(n.items); }
    bool operator()(const Scan& n) const {
        return must_open(*n.body) || one(n.bound) ||
               std::any_of(n.carried.begin(), n.carried.end(), [&](const auto& each) { return one(each.initial); });
    }
    template <typename Leaf> bool operator()(const Leaf&) const { return false; }
};

} // namespace

size_t width(std::string_view text) {
    text.remove_prefix(text.rfind('\n') + 1); // npos + 1 is 0
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::string spaces(size_t count) { return std::string(count, ' '); }

bool must_open(const Expr& expr) { return std::visit(MustOpen{}, expr.node); }

std::string flat(const Expr& expr, bool tight) { return std::visit(Flat{tight}, expr.node); }

std::string flat_bound(const Expr& expr) {
    return strength_of(expr) >= sum ? flat(expr) : fmt::format("({})", flat(expr));
}

std::string flat(const std::vector<IndexBinder>& binders) {
    std::string result;
    for (const IndexBinder& each : binders) {
        if (!result.empty()) result += ", ";
        result += each.ellipsis ? ".." : each.name;
        if (each.bound) result += " < " + flat_bound(*each.bound);
    }
    return "[" + result + "]";
}

std::string flat(const TypeExpr& type) {
    std::string result = type.constant ? "const " : "";
    result += type.dtype.value_or("");
    if (type.shape) result += "[" + list(*type.shape, true) + "]";
    if (type.upper) result += " < " + flat_bound(*type.upper);
    return result;
}

std::string lay_out(const Expr& expr, Room room) {
    if (!has_block(expr)) {
        std::string text = flat(expr);
        if (fits(text, room)) return text;
    }
    return std::visit(Lay{room}, expr.node);
}

std::string print(const Expr& expression) { return flat(expression); }
std::string print(const TypeExpr& type) { return flat(type); }

} // namespace gradc
