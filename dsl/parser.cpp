// The file level of the parser: items until the end, with recovery at the next declaration, and the errors of lexer
// and parser in the order of the text.
#include "dsl/parser.h"
#include "dsl/grammar.h"
#include <algorithm>

namespace gradc {

using namespace ast;

namespace {

void end_item(Cursor& cursor) {
    if (cursor.breaks_here() || cursor.accept(TokenKind::semicolon)) return;
    parse_end(cursor);            // reports what does not belong here
    cursor.fail_expected("a new line"); // a } that nothing opened
}

Module parse_module(Cursor& cursor, uint32_t source) {
    Module module;
    module.source = source;
    std::vector<std::string> above;
    while (!cursor.at(TokenKind::end)) {
        if (cursor.accept(TokenKind::semicolon)) continue;
        Cursor::Mark mark = cursor.mark();
        uint32_t begin = cursor.peek().begin;
        Comments comments;
        comments.before = cursor.comments_above();
        if (module.items.empty() && !comments.before.empty() && comments.before.front().empty())
            comments.before.erase(comments.before.begin());
        try {
            Item item = parse_item(cursor);
            end_item(cursor);
            cursor.comments_of_statement(begin, comments);
            item.comments = std::move(comments);
            module.items.push_back(std::move(item));
        } catch (const SyntaxError&) {
            cursor.recover_to_declaration(mark);
        }
    }
    module.last_comments = cursor.comments_above();
    while (!module.last_comments.empty() && module.last_comments.back().empty()) module.last_comments.pop_back();
    return module;
}

} // namespace

Module parse(const Sources& sources, uint32_t source, Diagnostics& diagnostics) {
    Diagnostics found; // in the order of discovery: first the lexer's
    found.limit = most_syntax_errors;
    Cursor cursor(sources, source, found);
    Module module = parse_module(cursor, source);
    std::vector<Diagnostic> sorted = found.all();
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return a.span.begin < b.span.begin; });
    for (Diagnostic& each : sorted) {
        Diagnostic& kept = diagnostics.report(each.code, each.span, each.message, each.caret, each.repair);
        kept.remarks = std::move(each.remarks);
        kept.caret_at = each.caret_at;
    }
    return module;
}

} // namespace gradc
