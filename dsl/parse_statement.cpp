// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements and blocks. Forms of other languages at the beginning of a statement (for, let, :=, +=) are reported and
// read as the intended form.
#include "dsl/grammar.h"
#include "dsl/other_names.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

using namespace ast;

namespace {

uint32_t height(const ExprRef& expr) { return expr ? expr->height : 0; }
uint32_t height(const BlockRef& block) { return block ? block->height : 0; }
uint32_t height(const std::vector<ExprRef>& values) {
    uint32_t result = 0;
    for (const ExprRef& value : values) result = std::max(result, height(value));
    return result;
}

struct StatementHeight {
    uint32_t operator()(const Assign& s) const { return height(s.values); }
    uint32_t operator()(const IndexDefinition& s) const { return height(s.value); }
    uint32_t operator()(const Update& s) const { return height(s.value); }
    uint32_t operator()(const Declaration& s) const { return height(s.initial); }
    uint32_t operator()(const Return& s) const { return height(s.values); }
    uint32_t operator()(const Yield& s) const { return height(s.values); }
    uint32_t operator()(const If& s) const {
        return std::max({height(s.condition), height(s.then), height(s.otherwise)});
    }
    uint32_t operator()(const Repeat& s) const { return std::max(height(s.count), height(s.body)); }
    uint32_t operator()(const Evaluate& s) const { return height(s.value); }
};

/// as "h.{i}.attn": a name in files
std::optional<std::string> parse_saved_as(Cursor& cursor) {
    if (cursor.breaks_here() || !cursor.accept_word("as")) return {};
    return cursor.text_value(cursor.expect(TokenKind::text, "a string: the name in files"));
}

Assign parse_assign(Cursor& cursor) {
    Assign assign;
    do assign.targets.push_back(cursor.expect_name("a value"));
    while (cursor.accept(TokenKind::comma));
    cursor.expect(TokenKind::assign, "`=` after the names");
    bool several = assign.targets.size() > 1; // a, b = b, a
    do assign.values.push_back(parse_expression(cursor));
    while (several && cursor.accept(TokenKind::comma));
    assign.saved_as = parse_saved_as(cursor);
    return assign;
}

/// Reports `x := e` and `x += e`, then reads them as `x = e`.
Assign parse_foreign_assign(Cursor& cursor) {
    Assign assign;
    assign.targets.push_back(cursor.expect_name("a value"));
    const std::string& name = assign.targets[0].name;
    std::string sign = cursor.word(cursor.peek());
    std::string repair = sign == ":="
                             ? fmt::format("write `{} = ..`", name)
                             : fmt::format("write `{} = {} {} ..`", name, name, sign.substr(0, sign.size() - 1));
    cursor.report(Code::foreign_operator, cursor.span(cursor.peek()),
                  fmt::format("`{}` is not part of the language", sign), {}, repair);
    cursor.take();
    assign.values.push_back(parse_expression(cursor));
    return assign;
}

IndexDefinition parse_index_definition(Cursor& cursor) {
    IndexDefinition definition;
    definition.target = cursor.expect_name("a value");
    definition.indices = parse_binders(cursor);
    if (cursor.at(TokenKind::update))
        cursor.fail(Code::misplaced_statement, cursor.span(cursor.peek()), "only a whole state can be updated", {},
                    fmt::format("write `new[..] = ..` and `{} <- new`", definition.target.name));
    cursor.expect(TokenKind::assign, "`=`");
    definition.value = parse_expression(cursor);
    return definition;
}

Update parse_update(Cursor& cursor) {
    Target target = cursor.expect_name("a state");
    cursor.take();
    return {target, parse_expression(cursor)};
}

Declaration parse_declaration(Cursor& cursor) {
    Declaration declaration;
    Token word = cursor.take();
    declaration.state = cursor.word(word) == "state";
    declaration.target = cursor.expect_name(declaration.state ? "a state" : "a parameter");
    if (cursor.accept(TokenKind::colon)) declaration.type = parse_type(cursor);
    if (cursor.statement_ends())
        cursor.fail(Code::missing_initial_value, declaration.target.span,
                    fmt::format("the {} `{}` has no initial value", declaration.state ? "state" : "parameter",
                                declaration.target.name),
                    {}, declaration.state ? "add `= 0`" : "add `= 0` or `= glorot_uniform()`");
    cursor.expect(TokenKind::assign, "`=` and the initial value");
    declaration.initial = parse_expression(cursor);
    declaration.saved_as = parse_saved_as(cursor);
    return declaration;
}

std::vector<ExprRef> parse_values(Cursor& cursor) {
    Token word = cursor.take();
    if (cursor.statement_ends()) cursor.fail_expected(fmt::format("a value after `{}`", cursor.word(word)));
    std::vector<ExprRef> values;
    do values.push_back(parse_expression(cursor));
    while (cursor.accept(TokenKind::comma));
    return values;
}

ExprRef parse_condition(Cursor& cursor) {
    ExprRef condition = parse_expression(cursor);
    if (cursor.at(TokenKind::assign)) {
        cursor.report(Code::foreign_operator, cursor.span(cursor.peek()), "`=` gives a name a value", {},
                      "compare two values with `==`");
        cursor.take();
        parse_expression(cursor);
    }
    if (cursor.at(TokenKind::colon) || cursor.at_word("then")) cursor.fail_expected("`{`", "a block needs `{` and `}`");
    return condition;
}

If parse_if(Cursor& cursor);

BlockRef parse_else(Cursor& cursor) {
    bool foreign = cursor.at_word("elif") || cursor.at_word("elseif");
    if (foreign)
        cursor.report(Code::foreign_word, cursor.span(cursor.peek()),
                      fmt::format("`{}` is not part of the language", cursor.word(cursor.peek())), {},
                      "write `else if`");
    if (!foreign && !cursor.accept_word("else")) return nullptr;
    if (!foreign && !cursor.at_word("if")) return parse_block(cursor);
    uint32_t begin = cursor.peek().begin;
    Statement statement;
    statement.node = parse_if(cursor);
    statement.span = cursor.span_from(begin);
    auto block = std::make_shared<Block>();
    block->span = statement.span;
    block->height = std::visit(StatementHeight{}, statement.node) + 1;
    block->one_line = cursor.on_one_line(statement.span.begin, statement.span.end);
    block->statements.push_back(std::move(statement));
    if (block->height > height_limit)
        cursor.fail_too_deep(block->span,
                             fmt::format("blocks and expressions have more than {} steps in all", height_limit));
    return block;
}

If parse_if(Cursor& cursor) {
    Cursor::Level level(cursor);
    cursor.take();
    If statement;
    statement.condition = parse_condition(cursor);
    statement.then = parse_block(cursor);
    statement.otherwise = parse_else(cursor);
    return statement;
}

Repeat parse_repeat(Cursor& cursor) {
    cursor.take();
    Repeat repeat;
    TokenKind then = cursor.peek(1).kind;
    if (cursor.at(TokenKind::name) && then == TokenKind::less) {
        repeat.index = cursor.expect_name("an index");
        cursor.take();
    } else if (cursor.at(TokenKind::name) && then == TokenKind::less_equal) {
        cursor.fail(Code::unexpected_token, cursor.span(cursor.peek(1)), "an index runs from 0 to below its bound", {},
                    "write `<`");
    }
    repeat.count = parse_operators(cursor, Strength::sum);
    repeat.body = parse_block(cursor);
    return repeat;
}

/// Only a name (`inner`) or a call can be a statement; other expressions are errors.
Evaluate parse_evaluate(Cursor& cursor) {
    uint32_t begin = cursor.peek().begin;
    ExprRef value = parse_expression(cursor);
    if (cursor.at(TokenKind::assign)) // self.w = ..
        if (auto known = foreign_member(*value, cursor.sources()))
            cursor.fail(Code::foreign_word, known->span, known->message, {}, known->repair);
    if (!cursor.statement_ends()) return {value}; // a later error is reported instead
    if (std::holds_alternative<Name>(value->node) || std::holds_alternative<Call>(value->node)) return {value};
    std::string repair = "give it a name: `x = ..`";
    if (const auto* binary = std::get_if<Binary>(&value->node))
        if (binary->op == BinaryOperator::equal && std::holds_alternative<Name>(binary->left->node))
            repair = "assign a value to a name with `=`";
    if (const auto* unary = std::get_if<Unary>(&value->node); unary && unary->op == UnaryOperator::negate)
        repair = "to continue the line above, end that line with `-`";
    cursor.report(Code::unused_value, cursor.span_from(begin), "the value of this line is not used", {}, repair);
    return {value};
}

/// Reports a line that begins with an operator, which was meant to continue the line above.
void refuse_leading_operator(Cursor& cursor) {
    using enum TokenKind;
    constexpr TokenKind operators[] = {plus, star,       slash,   percent,       at,  caret,  equal, not_equal,
                                       less, less_equal, greater, greater_equal, dot, assign, comma, arrow};
    bool word = cursor.at_word("and") || cursor.at_word("or");
    if (!word && std::find(std::begin(operators), std::end(operators), cursor.peek().kind) == std::end(operators))
        return;
    std::string sign = cursor.word(cursor.peek());
    cursor.fail(Code::unexpected_token, cursor.span(cursor.peek()), fmt::format("a line cannot begin with `{}`", sign),
                {}, fmt::format("to continue the line above, end that line with `{}`", sign));
}

/// Reports a declaration inside a block, `param` outside of one, and the like.
void refuse_misplaced(Cursor& cursor) {
    Span place = cursor.span(cursor.peek());
    if (cursor.at_word("else")) cursor.fail(Code::misplaced_statement, place, "this `else` has no `if` before it");
    if (cursor.at_word("const") && cursor.peek(1).kind == TokenKind::name)
        cursor.fail(Code::misplaced_statement, place, "a `const` belongs at file level", {},
                    "in a block write `name = value`: a formula of constants is a constant");
    if (cursor.is_declaration())
        cursor.fail(Code::misplaced_statement, place,
                    fmt::format("`{}` belongs at file level, not in a block", cursor.word(cursor.peek())));
}

decltype(Statement::node) parse_node(Cursor& cursor) {
    TokenKind then = cursor.peek(1).kind;
    if (cursor.at(TokenKind::name) && !cursor.at_name() && (then == TokenKind::assign || then == TokenKind::update))
        cursor.expect_name("a value"); // fails: `if = 3`
    refuse_leading_operator(cursor);
    refuse_misplaced(cursor);
    if (cursor.at_word("param") || (cursor.at_word("state") && then == TokenKind::name))
        return parse_declaration(cursor);
    if (cursor.at_word("return")) {
        Return line{parse_values(cursor)};
        line.saved_as = parse_saved_as(cursor);
        return line;
    }
    if (cursor.at_word("yield")) return Yield{parse_values(cursor)};
    if (cursor.at_word("if")) return parse_if(cursor);
    if (cursor.at_word("repeat")) return parse_repeat(cursor);
    if (cursor.at(TokenKind::name) && !cursor.at_word("scan") && !cursor.at_word("not")) {
        if (then == TokenKind::assign || then == TokenKind::comma) return parse_assign(cursor);
        if (then == TokenKind::update) return parse_update(cursor);
        if (then == TokenKind::define || then == TokenKind::compound_assign) return parse_foreign_assign(cursor);
        if (at_assignment(cursor)) return parse_index_definition(cursor);
    }
    if (report_foreign_word(cursor)) throw SyntaxError{};
    return parse_evaluate(cursor);
}

[[noreturn]] void fail_after_statement(Cursor& cursor) {
    TokenKind kind = cursor.peek().kind;
    Span place = cursor.span(cursor.peek());
    if (kind == TokenKind::right_paren || kind == TokenKind::right_bracket)
        cursor.fail(Code::unopened_bracket, place, fmt::format("`{}` closes no open bracket", describe(kind)));
    std::string known = kind == TokenKind::name ? foreign_repair("word", cursor.word(cursor.previous())) : "";
    if (!known.empty())
        cursor.fail(Code::foreign_word, cursor.span(cursor.previous()),
                    fmt::format("`{}` is not part of the language", cursor.word(cursor.previous())), {},
                    std::move(known));
    std::string repair;
    if (kind == TokenKind::assign) repair = "only names can be assigned; compare two values with `==`";
    if (kind == TokenKind::colon) repair = "only parameters, states and fields have a written type";
    if (kind == TokenKind::left_brace) repair = "a block belongs to `if`, `repeat`, `scan` or a declaration";
    if (cursor.at_word("if")) repair = "write a choice of values as `where(condition, a, b)`";
    if (kind == TokenKind::quote) repair = "strings need double quotes";
    if (repair.empty() && (kind == TokenKind::name || kind == TokenKind::number || kind == TokenKind::text))
        repair = "separate statements on one line with `;`";
    cursor.fail_expected("an operator or the end of the statement", repair);
}

} // namespace

bool at_assignment(const Cursor& cursor) {
    if (!cursor.at(TokenKind::name)) return false;
    TokenKind then = cursor.peek(1).kind;
    if (then == TokenKind::left_bracket) {
        uint32_t behind = cursor.behind_bracket(1);
        then = behind ? cursor.peek(behind).kind : TokenKind::end;
        if (behind && cursor.peek(behind).line_before) return false;
        return then == TokenKind::assign || then == TokenKind::update;
    }
    return then == TokenKind::assign || then == TokenKind::update || then == TokenKind::comma;
}

bool report_foreign_word(Cursor& cursor) {
    if (!cursor.at(TokenKind::name)) return false;
    TokenKind then = cursor.peek(1).kind;
    if (then != TokenKind::name && then != TokenKind::text) return false;
    std::string first = cursor.word(cursor.peek());
    std::string repair = foreign_repair("word", first);
    if (repair.empty()) return false;
    cursor.report(Code::foreign_word, cursor.span(cursor.peek()),
                  fmt::format("`{}` is not part of the language", first), {}, std::move(repair));
    return true;
}

Statement parse_statement(Cursor& cursor) {
    Statement statement;
    statement.node = parse_node(cursor);
    return statement;
}

void parse_end(Cursor& cursor) {
    if (!cursor.statement_ends()) fail_after_statement(cursor);
    if (!cursor.breaks_here()) cursor.accept(TokenKind::semicolon);
}

BlockRef parse_block(Cursor& cursor) {
    auto block = std::make_shared<Block>();
    uint32_t begin = cursor.peek().begin;
    parse_braces(cursor, *block, block->statements, parse_statement);
    block->span = cursor.span_from(begin);
    for (const Statement& statement : block->statements)
        block->height = std::max(block->height, std::visit(StatementHeight{}, statement.node) + 1);
    if (block->height > height_limit)
        cursor.fail_too_deep(block->span,
                             fmt::format("blocks and expressions have more than {} steps in all", height_limit));
    return block;
}

} // namespace gradc
