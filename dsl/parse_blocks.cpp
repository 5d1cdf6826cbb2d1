// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Datasets and train blocks. A line of a train block that begins with the word of a setting is that setting, unless it
// continues as an assignment; all other lines are statements.
#include "dsl/grammar.h"
#include "dsl/other_names.h"
#include "dsl/parser.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

using namespace ast;

namespace {

Split parse_split(Cursor& cursor) {
    cursor.take();
    Split split;
    do {
        if (cursor.at_word("in") && cursor.is_word(1, "order")) {
            cursor.take();
            cursor.take();
            split.in_order = true;
            break;
        }
        Target name = cursor.expect_name("a split");
        cursor.expect(TokenKind::colon, "`:` and the fraction of rows, as in `train: 0.8`");
        split.parts.push_back({name.name, name.span, parse_expression(cursor)});
    } while (cursor.accept(TokenKind::comma));
    return split;
}

Field parse_field(Cursor& cursor) {
    Field field;
    field.target = cursor.expect_name("a field");
    if (cursor.at(TokenKind::left_bracket)) field.indices = parse_binders(cursor);
    else if (cursor.accept(TokenKind::colon)) field.type = parse_type(cursor);
    while (field.indices.empty() && cursor.accept(TokenKind::comma)) {
        FieldName other{cursor.expect_name("a field")};
        if (cursor.accept(TokenKind::colon)) other.type = parse_type(cursor);
        field.others.push_back(std::move(other));
    }
    cursor.expect(TokenKind::assign, "`=` and the source of the field");
    field.value = parse_expression(cursor);
    return field;
}

DatasetItem parse_dataset_item(Cursor& cursor) {
    DatasetItem item;
    if (cursor.at_word("split") && cursor.peek(1).kind == TokenKind::name) item.node = parse_split(cursor);
    else item.node = parse_field(cursor);
    return item;
}

/// critic   *.weight   net.block_*.bias: tokens without space between them, as they are written, or a text.
Target parse_pattern(Cursor& cursor) {
    if (cursor.at(TokenKind::text)) {
        Token token = cursor.take();
        return {cursor.text_value(token), cursor.span(token)};
    }
    uint32_t begin = cursor.peek().begin, end = begin;
    auto belongs = [&] {
        TokenKind kind = cursor.peek().kind;
        return kind == TokenKind::name || kind == TokenKind::dot || kind == TokenKind::star ||
               kind == TokenKind::number;
    };
    while (belongs() && cursor.peek().begin == end && !cursor.breaks_here()) end = cursor.take().end;
    if (end == begin) cursor.fail_expected("a model, a parameter or a pattern such as `*.weight`");
    Span span = cursor.span_from(begin);
    return {std::string(cursor.text(span)), span};
}

/// The text of a value for a repair; `..` if it is long.
std::string_view shortened(std::string_view text) {
    constexpr size_t longest = 40;
    return text.size() > longest || text.find('\n') != text.npos ? ".." : text;
}

Setting parse_setting(Cursor& cursor) {
    Setting setting;
    Token key = cursor.take();
    setting.key = cursor.word(key);
    setting.key_span = cursor.span(key);
    std::optional<Token> sign; // batch = 32, batch: 32
    if (cursor.at(TokenKind::assign) || cursor.at(TokenKind::colon)) sign = cursor.take();
    if (cursor.statement_ends()) cursor.fail_expected(fmt::format("the value of `{}`", setting.key));
    if (setting.key == "metric" && cursor.at_name() && cursor.peek(1).kind == TokenKind::assign) {
        setting.label = cursor.expect_name("a metric");
        cursor.take();
    }
    uint32_t begin = cursor.peek().begin;
    bool patterns = setting.key == "freeze";
    auto parse_patterns = [&] {
        do setting.on.push_back(parse_pattern(cursor));
        while (cursor.accept(TokenKind::comma));
    };
    if (patterns) parse_patterns();
    else setting.value = parse_expression(cursor);
    if (sign)
        cursor.report(Code::assigned_setting, cursor.span(*sign),
                      fmt::format("`{}` is a setting: write its value without `{}`", setting.key, describe(sign->kind)),
                      {}, fmt::format("write `{} {}`", setting.key, shortened(cursor.text(cursor.span_from(begin)))));
    if (!patterns && !cursor.breaks_here() && cursor.accept_word("on")) parse_patterns();
    return setting;
}

/// An unknown word before its value, which cannot begin a statement: `learning_rate 1e-3`.
void refuse_unknown_setting(Cursor& cursor) {
    const Token& next = cursor.peek(1);
    bool value = next.kind == TokenKind::number || next.kind == TokenKind::text || next.kind == TokenKind::name;
    bool word = next.kind == TokenKind::name && (cursor.is_word(1, "and") || cursor.is_word(1, "or"));
    bool state = cursor.at_word("state") || cursor.at_word("const");
    if (!cursor.at_name() || !value || word || state || next.line_before || cursor.is_declaration()) return;
    std::string key = cursor.word(cursor.peek());
    auto near = nearest(key, train_settings());
    std::string repair = foreign_repair("setting", key);
    std::string all = fmt::format("settings are {}", fmt::join(train_settings(), ", "));
    for (const std::string& setting : train_settings()) // batch_size, dataset
        if (!near && key.starts_with(setting)) near = setting;
    cursor.fail(Code::unknown_setting, cursor.span(cursor.peek()), fmt::format("there is no setting `{}`", key), {},
                !repair.empty() ? fmt::format("{}; {}", repair, all)
                : near          ? fmt::format("did you mean `{}`? {}", *near, all)
                                : all);
}

TrainItem parse_train_item(Cursor& cursor) {
    TrainItem item;
    const auto& keys = train_settings();
    bool key = cursor.at_name() && std::find(keys.begin(), keys.end(), cursor.word(cursor.peek())) != keys.end();
    TokenKind then = cursor.peek(1).kind;
    bool assigned = at_assignment(cursor) && then != TokenKind::assign;
    if (key && !assigned) {
        item.node = parse_setting(cursor);
        return item;
    }
    if (!report_foreign_word(cursor)) refuse_unknown_setting(cursor);
    item.node = parse_statement(cursor);
    return item;
}

} // namespace

const std::vector<std::string>& train_settings() {
    static const std::vector<std::string> keys{"data", "batch",     "epochs", "steps",  "turns",   "order",
                                               "loss", "optimizer", "freeze", "metric", "predict", "generate"};
    return keys;
}

decltype(Item::node) parse_dataset(Cursor& cursor) {
    cursor.take();
    Dataset dataset;
    Target name = cursor.expect_name("a dataset");
    dataset.name = name.name;
    dataset.name_span = name.span;
    parse_braces(cursor, dataset, dataset.items, parse_dataset_item);
    return dataset;
}

decltype(Item::node) parse_train(Cursor& cursor) {
    cursor.take();
    Train train;
    if (!cursor.at(TokenKind::left_brace)) {
        Target name = cursor.expect_name("the train block");
        train.name = name.name;
        train.name_span = name.span;
    }
    parse_braces(cursor, train, train.items, parse_train_item);
    for (TrainItem& item : train.items)
        if (auto* statement = std::get_if<Statement>(&item.node)) statement->span = item.span;
    return train;
}

} // namespace gradc
