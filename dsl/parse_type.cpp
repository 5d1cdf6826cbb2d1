// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types: [const] [dtype] [shape] [< bound]. Foreign names of dtypes are reported with their replacement.
#include "dsl/grammar.h"
#include "dsl/other_names.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

using namespace ast;

namespace {

const std::vector<std::string>& dtypes() {
    static const std::vector<std::string> names{"f32", "f64", "bf16", "u8", "int", "bool"};
    return names;
}

std::string parse_dtype(Cursor& cursor) {
    Token token = cursor.take();
    std::string word = cursor.word(token);
    const auto& known = dtypes();
    if (std::find(known.begin(), known.end(), word) != known.end()) return word;
    std::string repair = foreign_repair("type", word);
    if (repair.empty()) repair = nearest(word, known).value_or("");
    cursor.report(Code::unknown_type, cursor.span(token), fmt::format("there is no type `{}`", word), {},
                  repair.empty()
                      ? "types are f32, f64, u8, int and bool; a shape alone, `[N, 64]`, means any float type"
                      : fmt::format("did you mean `{}`?", repair));
    return repair.empty() ? "f32" : repair;
}

std::vector<ExprRef> parse_shape(Cursor& cursor) {
    Cursor::Level level(cursor);
    Token bracket = cursor.open(TokenKind::left_bracket, "`[`");
    std::vector<ExprRef> sizes;
    while (!cursor.at(TokenKind::right_bracket)) {
        sizes.push_back(parse_entry(cursor, false));
        if (!cursor.accept(TokenKind::comma)) break;
    }
    cursor.close(bracket, "`,` or `]`");
    return sizes;
}

} // namespace

TypeExpr parse_type(Cursor& cursor) {
    TypeExpr type;
    uint32_t begin = cursor.peek().begin;
    type.constant = cursor.accept_word("const");
    if (cursor.at_name()) type.dtype = parse_dtype(cursor);
    if (cursor.at(TokenKind::left_bracket) && !(type.dtype && cursor.breaks_here())) type.shape = parse_shape(cursor);
    if (!type.dtype && !type.shape) {
        bool value = cursor.at(TokenKind::number) || cursor.at(TokenKind::text);
        cursor.fail_expected("a type such as `f32[N, 64]`, `int < 10` or `const int`",
                             value ? "write a default value as `name = value`" : "");
    }
    if (cursor.at(TokenKind::less_equal))
        cursor.fail(Code::unexpected_token, cursor.span(cursor.peek()), "integers range from 0 to below their bound",
                    {}, "write `int < 10` for 0 to 9");
    if (!cursor.breaks_here() && cursor.accept(TokenKind::less)) type.upper = parse_operators(cursor, Strength::sum);
    type.span = cursor.span_from(begin);
    return type;
}

} // namespace gradc
