// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declarations at file level: fn, model, optimizer, const, rule, use. Datasets and train blocks are in
// parse_blocks.cpp.
#include "dsl/grammar.h"
#include <fmt/format.h>

namespace gradc {

using namespace ast;

namespace {

std::vector<Parameter> parse_parameters(Cursor& cursor) {
    Token bracket = cursor.open(TokenKind::left_paren, "`(` and the parameters");
    std::vector<Parameter> parameters;
    while (!cursor.at(TokenKind::right_paren)) {
        Parameter parameter;
        uint32_t begin = cursor.peek().begin;
        parameter.name = cursor.expect_name("a parameter").name;
        if (cursor.accept(TokenKind::colon)) parameter.type = parse_type(cursor);
        if (cursor.accept(TokenKind::assign)) parameter.initial = parse_expression(cursor);
        parameter.span = cursor.span_from(begin);
        parameters.push_back(std::move(parameter));
        if (!cursor.accept(TokenKind::comma)) break;
    }
    cursor.close(bracket, "`,` or `)`");
    return parameters;
}

/// `derivative x` or `surrogate derivative x`; both words are names elsewhere.
bool at_derivative(const Cursor& cursor) {
    uint32_t ahead = cursor.at_word("surrogate") ? 1 : 0;
    return cursor.is_word(ahead, "derivative") && cursor.peek(ahead + 1).kind == TokenKind::name;
}

/// `derivative a: .., b: ..`, possibly on the following lines.
std::vector<Derivative> parse_derivatives(Cursor& cursor) {
    std::vector<Derivative> derivatives;
    while (at_derivative(cursor)) {
        bool surrogate = cursor.accept_word("surrogate");
        cursor.take();
        do {
            Target parameter = cursor.expect_name("a parameter");
            cursor.expect(TokenKind::colon, "`:` and the gradient by this parameter");
            derivatives.push_back({parameter.name, parameter.span, parse_expression(cursor), surrogate});
        } while (cursor.accept(TokenKind::comma));
    }
    return derivatives;
}

Function parse_function(Cursor& cursor, FunctionKind kind) {
    Function function;
    function.kind = kind;
    std::string word = cursor.word(cursor.take());
    Target name = cursor.expect_name(fmt::format("the {}", word));
    function.name = name.name;
    function.name_span = name.span;
    function.parameters = parse_parameters(cursor);
    if (cursor.at(TokenKind::colon))
        cursor.fail_expected("`->`, `=` or `{`", "write result types after `->` and a block in `{` and `}`");
    if (!cursor.breaks_here() && cursor.accept(TokenKind::arrow)) {
        do function.results.push_back(parse_type(cursor));
        while (cursor.accept(TokenKind::comma));
    }
    if (cursor.accept(TokenKind::assign)) function.value = parse_expression(cursor);
    else if (cursor.at(TokenKind::left_brace)) function.body = parse_block(cursor);
    else if (kind != FunctionKind::function) cursor.fail_expected("`{` or `=`");
    function.derivatives = parse_derivatives(cursor);
    return function;
}

Constants parse_constants(Cursor& cursor) {
    cursor.take();
    Constants constants;
    do {
        Target target = cursor.expect_name("a constant");
        cursor.expect(TokenKind::assign, "`=` and its value");
        constants.all.push_back({target, parse_expression(cursor)});
    } while (cursor.accept(TokenKind::comma));
    return constants;
}

Rule parse_rule(Cursor& cursor) {
    cursor.take();
    Rule rule;
    rule.exact = cursor.accept_word("exact");
    if (!rule.exact && !cursor.accept_word("fast"))
        cursor.fail_expected("`exact` or `fast`", "`exact` rules also hold for inf and nan");
    rule.left = parse_expression(cursor);
    cursor.expect(TokenKind::arrow, "`->` and the replacement");
    rule.right = parse_expression(cursor);
    if (!cursor.breaks_here() && cursor.accept_word("when")) rule.condition = parse_expression(cursor);
    return rule;
}

Use parse_use(Cursor& cursor) {
    cursor.take();
    if (cursor.at(TokenKind::name))
        cursor.fail_expected("a text", fmt::format("write `use \"{}.grad\"`", cursor.word(cursor.peek())));
    Token path = cursor.expect(TokenKind::text, "the path of a file in double quotes");
    return {cursor.text_value(path), cursor.span(path)};
}

const std::vector<std::string>& item_words() {
    static const std::vector<std::string> words{"fn", "model", "optimizer", "dataset", "train", "rule", "use", "const"};
    return words;
}

[[noreturn]] void fail_item(Cursor& cursor) {
    Token token = cursor.peek();
    Span place = cursor.span(token);
    constexpr std::string_view expected = "fn, model, optimizer, dataset, train, rule, use or const";
    if (report_foreign_word(cursor)) throw SyntaxError{};
    if (token.kind == TokenKind::right_brace || token.kind == TokenKind::right_paren ||
        token.kind == TokenKind::right_bracket)
        cursor.fail(Code::unopened_bracket, place, fmt::format("`{}` closes no open bracket", describe(token.kind)));
    if (token.kind != TokenKind::name)
        cursor.fail(Code::unexpected_token, place, fmt::format("expected {}, found {}", expected, cursor.found()));
    std::string word = cursor.word(token);
    if (cursor.at_name() && at_assignment(cursor))
        cursor.fail(Code::misplaced_statement, place, "values belong in a block, not at file level", {},
                    fmt::format("write a constant of the file as `const {} = ..`", word));
    if (is_reserved(word) || word == "state")
        cursor.fail(Code::misplaced_statement, place,
                    fmt::format("`{}` belongs in a fn, model or optimizer, not at file level", word));
    auto near = nearest(word, item_words());
    cursor.fail(Code::unexpected_token, place, fmt::format("expected {}, found `{}`", expected, word), {},
                near ? fmt::format("did you mean `{}`?", *near) : "");
}

decltype(Item::node) parse_node(Cursor& cursor) {
    if (cursor.at_word("fn")) return parse_function(cursor, FunctionKind::function);
    TokenKind then = cursor.peek(1).kind;
    if (then != TokenKind::assign && then != TokenKind::update && then != TokenKind::comma) {
        if (cursor.at_word("model")) return parse_function(cursor, FunctionKind::model);
        if (cursor.at_word("optimizer")) return parse_function(cursor, FunctionKind::optimizer);
        if (cursor.at_word("const")) return parse_constants(cursor);
        if (cursor.at_word("rule")) return parse_rule(cursor);
        if (cursor.at_word("use")) return parse_use(cursor);
        if (cursor.at_word("dataset")) return parse_dataset(cursor);
        if (cursor.at_word("train")) return parse_train(cursor);
    }
    fail_item(cursor);
}

} // namespace

Item parse_item(Cursor& cursor) {
    Item item;
    uint32_t begin = cursor.peek().begin;
    item.node = parse_node(cursor);
    item.span = cursor.span_from(begin);
    return item;
}

} // namespace gradc
