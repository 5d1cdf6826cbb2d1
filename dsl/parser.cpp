// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The file level of the parser: items until the end, with recovery at the next declaration. Errors of lexer and parser
// are merged in the order of the text.
#include "dsl/parser.h"
#include "dsl/grammar.h"
#include <algorithm>
#include <numeric>

namespace gradc {

using namespace ast;

namespace {

void end_item(Cursor& cursor) {
    if (cursor.breaks_here() || cursor.accept(TokenKind::semicolon)) return;
    parse_end(cursor);                  // reports what does not belong here
    cursor.fail_expected("a new line"); // a } that nothing opened
}

Module parse_module(Cursor& cursor, uint32_t source) {
    Module module;
    module.source = source;
    std::vector<std::string> above;
    while (!cursor.at(TokenKind::end)) {
        cursor.add_comments_above(above, module.items.empty());
        if (cursor.accept(TokenKind::semicolon)) continue;
        Cursor::Mark mark = cursor.mark();
        uint32_t begin = cursor.peek().begin;
        try {
            Item item = parse_item(cursor);
            end_item(cursor);
            item.comments.before = std::exchange(above, {});
            cursor.comments_of_statement(begin, item.comments);
            module.items.push_back(std::move(item));
        } catch (const SyntaxError&) {
            cursor.recover_to_declaration(mark);
        }
    }
    cursor.add_comments_above(above, module.items.empty());
    while (!above.empty() && above.back().empty()) above.pop_back();
    module.last_comments = std::move(above);
    return module;
}

} // namespace

Module parse(const Sources& sources, uint32_t source, Diagnostics& diagnostics) {
    Diagnostics found; // in the order of discovery: first the lexer's
    found.limit = most_syntax_errors;
    Cursor cursor(sources, source, found);
    Module module = parse_module(cursor, source);
    std::vector<Diagnostic> sorted = found.all();
    std::vector<size_t> order(sorted.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return std::pair(sorted[a].span.begin, a) < std::pair(sorted[b].span.begin, b);
    });
    for (size_t i : order) {
        Diagnostic& each = sorted[i];
        Diagnostic& kept = diagnostics.report(each.code, each.span, each.message, each.caret, each.repair);
        kept.remarks = std::move(each.remarks);
        kept.caret_at = each.caret_at;
    }
    return module;
}

} // namespace gradc
