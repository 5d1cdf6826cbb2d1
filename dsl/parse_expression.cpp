// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Precedence climbing in Python's order: or, and, not, comparison, + -, * / % @, unary -, ^, postfix. Forms of other
// languages are reported and read as the intended form.
#include "dsl/grammar.h"
#include "dsl/other_names.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

using namespace ast;

namespace {

struct Operator {
    BinaryOperator op;
    Strength strength;
    bool foreign = false;
};

std::optional<Operator> operator_at(const Cursor& cursor) {
    using enum BinaryOperator;
    if (cursor.breaks_here()) return std::nullopt;
    switch (cursor.peek().kind) {
    case TokenKind::equal: return Operator{equal, Strength::comparison};
    case TokenKind::not_equal: return Operator{not_equal, Strength::comparison};
    case TokenKind::less:
    case TokenKind::update: return Operator{less, Strength::comparison}; // a<-3: see split_update
    case TokenKind::less_equal: return Operator{less_equal, Strength::comparison};
    case TokenKind::greater: return Operator{greater, Strength::comparison};
    case TokenKind::greater_equal: return Operator{greater_equal, Strength::comparison};
    case TokenKind::plus: return Operator{add, Strength::sum};
    case TokenKind::minus: return Operator{subtract, Strength::sum};
    case TokenKind::star: return Operator{multiply, Strength::product};
    case TokenKind::slash: return Operator{divide, Strength::product};
    case TokenKind::percent: return Operator{modulo, Strength::product};
    case TokenKind::at: return Operator{matmul, Strength::product};
    case TokenKind::double_slash: return Operator{floor_divide, Strength::product};
    case TokenKind::double_and: return Operator{logical_and, Strength::conjunction, true};
    case TokenKind::double_or: return Operator{logical_or, Strength::disjunction, true};
    default: break;
    }
    if (cursor.at_word("and")) return Operator{logical_and, Strength::conjunction};
    if (cursor.at_word("or")) return Operator{logical_or, Strength::disjunction};
    return std::nullopt;
}

void report_foreign(Cursor& cursor) {
    std::string sign = cursor.word(cursor.peek());
    cursor.report(Code::foreign_operator, cursor.span(cursor.peek()),
                  fmt::format("`{}` is not part of the language", sign), {}, foreign_repair("operator", sign));
}

Strength above(Strength strength) { return static_cast<Strength>(static_cast<int>(strength) + 1); }

uint32_t height(const ExprRef& expr) { return expr ? expr->height : 0; }

template <typename Part> uint32_t highest(const std::vector<Part>& parts, ExprRef Part::* member) {
    uint32_t result = 0;
    for (const Part& part : parts) result = std::max(result, height(part.*member));
    return result;
}
uint32_t highest(const std::vector<ExprRef>& parts) {
    uint32_t result = 0;
    for (const ExprRef& part : parts) result = std::max(result, height(part));
    return result;
}

/// The largest height among the parts of a node.
struct HeightBelow {
    uint32_t operator()(const Number&) const { return 0; }
    uint32_t operator()(const Text&) const { return 0; }
    uint32_t operator()(const Name&) const { return 0; }
    uint32_t operator()(const Ellipsis&) const { return 0; }
    uint32_t operator()(const Range& n) const { return std::max(height(n.first), height(n.last)); }
    uint32_t operator()(const Slice& n) const { return highest({n.start, n.stop, n.step}); }
    uint32_t operator()(const Unary& n) const { return height(n.operand); }
    uint32_t operator()(const Transpose& n) const { return height(n.operand); }
    uint32_t operator()(const Binary& n) const { return std::max(height(n.left), height(n.right)); }
    uint32_t operator()(const Member& n) const { return height(n.object); }
    uint32_t operator()(const Index& n) const { return std::max(height(n.object), highest(n.items)); }
    uint32_t operator()(const Call& n) const {
        return std::max(highest(n.indices, &IndexBinder::bound), highest(n.arguments, &Argument::value));
    }
    uint32_t operator()(const List& n) const { return highest(n.items); }
    uint32_t operator()(const Scan& n) const {
        return std::max({height(n.bound), highest(n.carried, &Carried::initial), n.body->height});
    }
};

ExprRef parse_unary(Cursor& cursor);

/// Entries in brackets, separated by commas; a comma may follow the last one.
std::vector<ExprRef> parse_entries(Cursor& cursor, bool slices) {
    Cursor::Level level(cursor);
    Token bracket = cursor.open(TokenKind::left_bracket, "`[`");
    std::vector<ExprRef> items;
    while (!cursor.at(TokenKind::right_bracket)) {
        items.push_back(parse_entry(cursor, slices));
        if (!cursor.accept(TokenKind::comma)) break;
    }
    cursor.close(bracket, "`,` or `]`");
    return items;
}

ExprRef parse_call(Cursor& cursor, bool indexed) {
    Token name = cursor.take();
    Call call{cursor.word(name), cursor.span(name), indexed, {}, {}};
    if (indexed) call.indices = parse_binders(cursor);
    call.arguments = parse_arguments(cursor);
    return make_expression(cursor, name.begin, std::move(call));
}

ExprRef parse_name(Cursor& cursor) {
    const Token& next = cursor.peek(1);
    auto stands_beside = [&](uint32_t ahead) {
        return ahead > 0 && cursor.peek(ahead).kind == TokenKind::left_paren && !cursor.peek(ahead).line_before;
    };
    if (stands_beside(1)) return parse_call(cursor, false);
    if (next.kind == TokenKind::left_bracket && !next.line_before && stands_beside(cursor.behind_bracket(1)))
        return parse_call(cursor, true);
    Token name = cursor.take();
    return make_expression(cursor, name.begin, Name{cursor.word(name)});
}

ExprRef parse_parentheses(Cursor& cursor) {
    Cursor::Level level(cursor);
    Token bracket = cursor.open(TokenKind::left_paren, "`(`");
    ExprRef inner = parse_expression(cursor);
    if (cursor.at(TokenKind::comma))
        cursor.fail(Code::unexpected_token, cursor.span(cursor.peek()), "expected one value in brackets, found `,`", {},
                    "write a list as `[a, b]`, and several results without brackets: `return a, b`");
    cursor.close(bracket, "an operator or `)`");
    return inner;
}

[[noreturn]] void fail_primary(Cursor& cursor) {
    if (cursor.at(TokenKind::name) && !cursor.breaks_here()) {
        std::string word = cursor.word(cursor.peek());
        std::string repair = word == "if" || word == "else" ? "write a choice of values as `where(condition, a, b)`"
                             : word == "scan"               ? "put brackets around the whole `scan`"
                             : word == "not"                ? "put brackets around `not ..`"
                                                            : "";
        cursor.fail(Code::reserved_word, cursor.span(cursor.peek()),
                    fmt::format("expected a value, found the word `{}` of the language", word), {}, repair);
    }
    cursor.fail_expected("a value");
}

ExprRef parse_primary(Cursor& cursor) {
    Token token = cursor.peek();
    if (cursor.at_name()) return parse_name(cursor);
    if (token.kind == TokenKind::left_paren) return parse_parentheses(cursor);
    if (token.kind == TokenKind::left_bracket) {
        std::vector<ExprRef> items = parse_entries(cursor, false);
        return make_expression(cursor, token.begin, List{std::move(items)});
    }
    if (token.kind == TokenKind::text) {
        cursor.take();
        return make_expression(cursor, token.begin, Text{cursor.text_value(token)});
    }
    if (token.kind != TokenKind::number) fail_primary(cursor);
    cursor.take();
    std::string text = cursor.word(token);
    bool integer = text.find_first_of(".eE") == text.npos;
    return make_expression(cursor, token.begin, Number{cursor.number_value(token), integer, std::move(text)});
}

[[noreturn]] void fail_call(Cursor& cursor, uint32_t begin, const ExprRef& callee) {
    if (auto known = foreign_member(*callee, cursor.sources()))
        cursor.fail(Code::not_callable, known->span, known->message, {}, known->repair);
    if (const auto* member = std::get_if<Member>(&callee->node))
        cursor.fail(Code::not_callable, member->name_span,
                    fmt::format("values have no methods such as `{}`", member->name), {},
                    fmt::format("write `{}({}, ..)`", member->name, cursor.text(member->object->span)));
    cursor.fail(Code::not_callable, cursor.span_from(begin), "only a name can be called, not a value", {},
                "write a product with `*`");
}

ExprRef parse_postfix(Cursor& cursor) {
    uint32_t begin = cursor.peek().begin;
    ExprRef value = parse_primary(cursor);
    while (!cursor.breaks_here()) {
        if (cursor.accept(TokenKind::quote)) {
            value = make_expression(cursor, begin, Transpose{value});
        } else if (cursor.at(TokenKind::left_bracket)) {
            std::vector<ExprRef> items = parse_entries(cursor, true);
            value = make_expression(cursor, begin, Index{value, std::move(items)});
        } else if (cursor.at(TokenKind::dot)) {
            if (std::holds_alternative<Number>(value->node)) cursor.fail_expected("an operator");
            cursor.take();
            Token name = cursor.expect(TokenKind::name, "a name after `.`");
            value = make_expression(cursor, begin, Member{value, cursor.word(name), cursor.span(name)});
        } else if (cursor.at(TokenKind::left_paren)) {
            fail_call(cursor, begin, value);
        } else {
            break;
        }
    }
    return value;
}

ExprRef parse_power(Cursor& cursor) {
    uint32_t begin = cursor.peek().begin;
    ExprRef base = parse_postfix(cursor);
    bool doubled = cursor.at(TokenKind::double_star);
    if (cursor.breaks_here() || !(doubled || cursor.at(TokenKind::caret))) return base;
    if (doubled) report_foreign(cursor);
    Cursor::Level level(cursor);
    Span op_span = cursor.span(cursor.take());
    ExprRef exponent = parse_unary(cursor); // 2^-1; right-associative
    return make_expression(cursor, begin, Binary{BinaryOperator::power, base, exponent, op_span});
}

ExprRef parse_unary(Cursor& cursor) {
    Token token = cursor.peek();
    bool minus = token.kind == TokenKind::minus, bang = token.kind == TokenKind::bang;
    if (token.kind == TokenKind::plus) cursor.fail_expected("a value", "a leading `+` is not allowed: leave it out");
    if (!minus && !bang) return parse_power(cursor);
    // -(-x) is printed with brackets; they count as levels here, so that the printed form can be parsed.
    Cursor::Level level(cursor, cursor.peek(1).kind == TokenKind::minus ? 2 : 1);
    if (bang) report_foreign(cursor);
    cursor.take();
    ExprRef operand = parse_unary(cursor);
    UnaryOperator op = minus ? UnaryOperator::negate : UnaryOperator::logical_not;
    return make_expression(cursor, token.begin, Unary{op, operand});
}

ExprRef parse_not(Cursor& cursor) {
    Cursor::Level level(cursor);
    Token word = cursor.take();
    ExprRef operand = parse_operators(cursor, Strength::negation);
    return make_expression(cursor, word.begin, Unary{UnaryOperator::logical_not, operand});
}

/// After `left op middle`: if another comparison follows, reports a < b < c and reads it as a < b and b < c.
ExprRef parse_chain(Cursor& cursor, uint32_t begin, uint32_t middle_begin, ExprRef left, const ExprRef& middle) {
    auto next = operator_at(cursor);
    if (!next || next->strength != Strength::comparison) return left;
    std::string first(cursor.text(cursor.span_from(begin))), shared(cursor.text(cursor.span_from(middle_begin)));
    std::string sign(cursor.word(cursor.peek()));
    Span op_span = cursor.span(cursor.take());
    uint32_t right_begin = cursor.peek().begin;
    ExprRef right = parse_operators(cursor, Strength::sum);
    constexpr size_t too_long = 80;
    std::string repair =
        fmt::format("write `{} and {} {} {}`", first, shared, sign, cursor.text(cursor.span_from(right_begin)));
    cursor.report(Code::comparison_chain, op_span, "comparisons cannot be chained", {},
                  repair.size() > too_long ? "join two comparisons with `and`" : repair);
    ExprRef second = make_expression(cursor, middle_begin, Binary{next->op, middle, right, op_span});
    return make_expression(cursor, begin, Binary{BinaryOperator::logical_and, left, second, op_span});
}

} // namespace

ExprRef make_expression(Cursor& cursor, uint32_t begin, decltype(Expr::node) node) {
    uint32_t height = std::visit(HeightBelow{}, node) + 1;
    Span span = cursor.span_from(begin);
    if (height > height_limit)
        cursor.fail_too_deep(span, fmt::format("an expression has more than {} steps in a row", height_limit));
    return std::make_shared<const Expr>(Expr{span, std::move(node), height});
}

ExprRef parse_operators(Cursor& cursor, Strength weakest) {
    uint32_t begin = cursor.peek().begin;
    ExprRef left = cursor.at_word("not") && weakest <= Strength::negation ? parse_not(cursor) : parse_unary(cursor);
    while (auto next = operator_at(cursor)) {
        if (next->strength < weakest) break;
        if (next->foreign) report_foreign(cursor);
        Span op_span = cursor.at(TokenKind::update) ? cursor.split_update() : cursor.span(cursor.take());
        uint32_t right_begin = cursor.peek().begin;
        ExprRef right = parse_operators(cursor, above(next->strength));
        left = make_expression(cursor, begin, Binary{next->op, left, right, op_span});
        if (next->strength == Strength::comparison) left = parse_chain(cursor, begin, right_begin, left, right);
    }
    return left;
}

ExprRef parse_expression(Cursor& cursor) {
    if (cursor.at_word("scan")) return parse_scan(cursor);
    return parse_operators(cursor, Strength::lowest);
}

ExprRef parse_entry(Cursor& cursor, bool slices) {
    uint32_t begin = cursor.peek().begin;
    auto ends = [&] {
        return cursor.at(TokenKind::comma) || cursor.at(TokenKind::right_bracket) || cursor.at(TokenKind::colon);
    };
    if (cursor.at(TokenKind::dots)) {
        cursor.take();
        if (!ends()) cursor.fail_expected("`,` or `]` after `..`", "a range needs both ends: `0..64`");
        return make_expression(cursor, begin, Ellipsis{});
    }
    if (cursor.at_word("scan")) return parse_scan(cursor);
    auto parse_bound = [&] { return parse_operators(cursor, Strength::lowest); };
    ExprRef first = slices && cursor.at(TokenKind::colon) ? nullptr : parse_bound();
    if (first && cursor.accept(TokenKind::dots)) {
        ExprRef last = parse_bound();
        return make_expression(cursor, begin, Range{first, last});
    }
    if (!slices || !cursor.accept(TokenKind::colon)) return first;
    Slice slice{first, nullptr, nullptr};
    if (!ends()) slice.stop = parse_bound();
    if (cursor.accept(TokenKind::colon) && !ends()) slice.step = parse_bound();
    return make_expression(cursor, begin, std::move(slice));
}

std::vector<Argument> parse_arguments(Cursor& cursor) {
    Cursor::Level level(cursor);
    Token bracket = cursor.open(TokenKind::left_paren, "`(`");
    std::vector<Argument> arguments;
    while (!cursor.at(TokenKind::right_paren)) {
        Argument argument;
        uint32_t begin = cursor.peek().begin;
        TokenKind then = cursor.peek(1).kind;
        if (cursor.at(TokenKind::name) && (then == TokenKind::colon || then == TokenKind::assign)) {
            argument.name = cursor.expect_name("an argument").name;
            if (then == TokenKind::assign)
                cursor.report(Code::foreign_operator, cursor.span(cursor.peek()), "name an argument with `:`", {},
                              fmt::format("write `{}: ..`", *argument.name));
            cursor.take();
        }
        argument.value = parse_entry(cursor, false);
        argument.span = cursor.span_from(begin);
        if (!argument.name && !arguments.empty() && arguments.back().name)
            cursor.report(Code::argument_order, argument.span, "positional argument after a named argument", {},
                          "positional arguments come first");
        arguments.push_back(std::move(argument));
        if (!cursor.accept(TokenKind::comma)) break;
    }
    cursor.close(bracket, "`,` or `)`");
    return arguments;
}

std::vector<IndexBinder> parse_binders(Cursor& cursor) {
    Cursor::Level level(cursor);
    Token bracket = cursor.open(TokenKind::left_bracket, "`[`");
    std::vector<IndexBinder> binders;
    do {
        if (cursor.at(TokenKind::right_bracket) && !binders.empty()) break;
        IndexBinder binder;
        uint32_t begin = cursor.peek().begin;
        if (cursor.accept(TokenKind::dots)) {
            binder.ellipsis = true;
        } else {
            if (!cursor.at(TokenKind::name)) cursor.fail_expected("an index, which is a name such as `i` or `i < 3`");
            binder.name = cursor.expect_name("an index").name;
            if (cursor.at(TokenKind::less_equal))
                cursor.fail(Code::unexpected_token, cursor.span(cursor.peek()),
                            "an index runs from 0 to below its bound", {}, fmt::format("write `{} < ..`", binder.name));
            if (cursor.accept(TokenKind::less)) binder.bound = parse_operators(cursor, Strength::sum);
        }
        binder.span = cursor.span_from(begin);
        binders.push_back(std::move(binder));
    } while (cursor.accept(TokenKind::comma));
    cursor.close(bracket, "`,`, `<` or `]`");
    return binders;
}

ExprRef parse_scan(Cursor& cursor) {
    Token word = cursor.take();
    Scan scan;
    Target index = cursor.expect_name("the index of a scan");
    scan.index = index.name;
    scan.index_span = index.span;
    cursor.expect(TokenKind::less, "`<` and the number of iterations, as in `scan t < T`");
    scan.bound = parse_operators(cursor, Strength::sum);
    if (cursor.accept_word("with")) {
        do {
            Target name = cursor.expect_name("a carried value");
            cursor.expect(TokenKind::assign, "`=` and the initial value");
            scan.carried.push_back({name.name, name.span, parse_expression(cursor)});
        } while (cursor.accept(TokenKind::comma));
    }
    scan.body = parse_block(cursor);
    return make_expression(cursor, word.begin, std::move(scan));
}

} // namespace gradc
