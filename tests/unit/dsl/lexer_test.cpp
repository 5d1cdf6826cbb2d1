// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The borders of tokens.
#include "dsl/token.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

/// The texts of the tokens with | between them; a line break before a token is shown as /.
std::string cut(const std::string& text) {
    Sources sources;
    Diagnostics diagnostics;
    Tokens tokens = lex(sources, sources.add({"t", text}), diagnostics);
    std::string result;
    for (size_t i = 0; i + 1 < tokens.all.size(); ++i) {
        const Token& token = tokens.all[i];
        result += i == 0 ? "" : token.line_before ? "/" : "|";
        result += sources.text({0, token.begin, token.end});
    }
    return result;
}

} // namespace

TEST_CASE("texts give tokens") {
    struct Row {
        const char *text, *tokens;
    };
    for (const Row& row : {Row{"0..64", "0|..|64"},
                           Row{"1e-3+2E5", "1e-3|+|2E5"},
                           Row{"20_000", "20_000"},
                           Row{".5 1. 1.5", ".5|1.|1.5"},
                           Row{"1...5", "1|..|.5"},
                           Row{"a..b", "a|..|b"},
                           Row{"x.y.z", "x|.|y|.|z"},
                           Row{"1.foo 1.e5 1.e", "1|.|foo|1.e5|1|.|e"},
                           Row{"x''", "x|'|'"},
                           Row{"a<-b", "a|<-|b"},
                           Row{"a->b<=c>=d==e!=f", "a|->|b|<=|c|>=|d|==|e|!=|f"},
                           Row{"a # b\nc", "a/c"},
                           Row{"a\r\nb\n\nc", "a/b/c"},
                           Row{"\"a # b\"", "\"a # b\""},
                           Row{"x[::2]", "x|[|:|:|2|]"},
                           Row{"\xEF\xBB\xBF"
                               "fn",
                               "fn"},
                           Row{"_a1 _", "_a1|_"},
                           Row{"a // b\nc", "a|//|b/c"},
                           Row{"a\n// b\nc", "a/c"},
                           Row{"a = // b\nc", "a|=/c"},
                           Row{"f(a\n// b)", "f|(|a///|b|)"},
                           Row{"a[i//2]", "a|[|i|//|2|]"},
                           Row{"", ""},
                           Row{"x\xC2\xB2", "x|\xC2\xB2|\xC2\xB2"}}) {
        CAPTURE(row.text);
        CHECK(cut(row.text) == row.tokens);
    }
}

TEST_CASE("numbers and texts have values") {
    Sources sources;
    Diagnostics diagnostics;
    Tokens tokens = lex(sources, sources.add({"t", "20_000 .5 1e-3 \"a\\\"b\\\\c\\n\""}), diagnostics);
    CHECK(tokens.numbers == std::vector<double>{20000, 0.5, 1e-3});
    CHECK(tokens.texts == std::vector<std::string>{"a\"b\\c\n"});
    CHECK(!diagnostics.failed());
}

TEST_CASE("brackets are matched, also among wrong ones") {
    Sources sources;
    Diagnostics diagnostics;
    Tokens tokens = lex(sources, sources.add({"t", "{ ( [ ) } )"}), diagnostics);
    CHECK(tokens.all[0].link == 4); // { }
    CHECK(tokens.all[1].link == Token::none);
    CHECK(tokens.all[2].link == Token::none);
    CHECK(tokens.all[5].link == Token::none);
}
