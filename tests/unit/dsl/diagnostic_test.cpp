// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The printed form of diagnostics, character by character.
#include "dsl/diagnostic.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

std::string printed(const char* text, Span span, std::optional<uint32_t> caret_at, std::string note,
                    std::string repair = {}) {
    Sources sources;
    sources.add({"digits.grad", text});
    Diagnostic diagnostic{Code::unexpected_token, span, "what is wrong", note, repair, {}, caret_at};
    return print(diagnostic, sources);
}

} // namespace

TEST_CASE("the span is underlined and its middle marked") {
    CHECK(printed("\n\n    return x @ weight\n", {0, 13, 23}, 15, "columns of the left side") ==
          "digits.grad:3:12: error: what is wrong\n"
          "    3 |     return x @ weight\n"
          "      |            ~~^~~~~~~~ columns of the left side\n");
}

TEST_CASE("tabs, wide and combining characters keep the underline in place") {
    CHECK(printed("\tx = y", {0, 5, 6}, {}, "") == "digits.grad:1:6: error: what is wrong\n"
                                                   "    1 |     x = y\n"
                                                   "      |         ^\n");
    CHECK(printed("\xE4\xB8\xAD y", {0, 4, 5}, {}, "") == "digits.grad:1:3: error: what is wrong\n"
                                                          "    1 | \xE4\xB8\xAD y\n"
                                                          "      |    ^\n");
    CHECK(printed("a\xCC\x88 y", {0, 4, 5}, {}, "") == "digits.grad:1:4: error: what is wrong\n"
                                                       "    1 | a\xCC\x88 y\n"
                                                       "      |   ^\n");
}

TEST_CASE("control bytes and invalid UTF-8 are escaped") {
    CHECK(printed("a\x1b[31m\xFF b", {0, 8, 9}, {}, "") == "digits.grad:1:9: error: what is wrong\n"
                                                           "    1 | a\\x1b[31m\\xff b\n"
                                                           "      |               ^\n");
    CHECK(printed("a\r\xE2\x80\xAE b", {0, 5, 7}, {}, "") == "digits.grad:1:4: error: what is wrong\n"
                                                             "    1 | a\\r\\u202e b\n"
                                                             "      |          ^~\n");
}

TEST_CASE("messages, notes, repairs and names of files are escaped and cut") {
    Sources sources;
    sources.add({"a\x1b[31m\nb.grad", "x"});
    Diagnostic diagnostic{Code::unexpected_token, {0, 0, 1}, "`a\rb\x7F`", "\xE2\x81\xA6", "\xC2\x9B",
                          {{{0, 0, 1}, "\x01"}},  {}};
    CHECK(print(diagnostic, sources) == "a\\x1b[31m\\nb.grad:1:1: error: `a\\rb\\x7f`\n"
                                        "    1 | x\n"
                                        "      | ^ \\u2066\n"
                                        "      = \\x9b\n"
                                        "a\\x1b[31m\\nb.grad:1:1: note: \\x01\n"
                                        "    1 | x\n"
                                        "      | ^\n");
    Sources none;
    std::string name(1 << 20, 'a'), wide;
    for (int i = 0; i < 1000; ++i) wide += "\xE4\xB8\xAD";
    std::string long_name = print(
        Diagnostic{Code::unknown_name, {}, "unknown name `" + name + "` here", "", "`" + wide + "`", {}, {}}, none);
    CHECK(long_name.size() < 300);
    CHECK(long_name.starts_with("error: unknown name `aaaa"));
    CHECK(long_name.find("aa..aa") != std::string::npos);
    CHECK(long_name.find("a` here\n      = `\xE4\xB8\xAD") != std::string::npos);
    CHECK(long_name.find("\\x") == std::string::npos); // no character was cut in two
    std::string words;
    for (int i = 0; i < 100000; ++i) words += "word ";
    CHECK(print(Diagnostic{Code::unknown_name, {}, words, "", "", {}, {}}, none).size() < 4100);
}

TEST_CASE("a span of several lines is underlined on the first, an empty one has a caret") {
    CHECK(printed("a(b,\nc)", {0, 0, 7}, {}, "") == "digits.grad:1:1: error: what is wrong\n"
                                                    "    1 | a(b,\n"
                                                    "      | ^~~~\n");
    CHECK(printed("ab", {0, 2, 2}, {}, "here") == "digits.grad:1:3: error: what is wrong\n"
                                                  "    1 | ab\n"
                                                  "      |   ^ here\n");
    CHECK(printed("", {0, 0, 0}, {}, "") == "digits.grad:1:1: error: what is wrong\n"
                                            "    1 |\n"
                                            "      | ^\n");
}

TEST_CASE("a very long line is cut around the span") {
    std::string text = std::string(5000, 'a') + "!" + std::string(5000, 'b');
    std::string result = printed(text.c_str(), {0, 5000, 5001}, {}, "");
    CHECK(result.size() < 400);
    size_t first = result.find("| .. aaa"), second = result.find("      | ", first);
    REQUIRE(first != result.npos);
    CHECK(result.find('!') - first == result.find('^') - (second + 6));
    CHECK(result.find("bbb ..\n") != result.npos);
}

TEST_CASE("repairs, notes, and places without a source") {
    CHECK(printed("y = sigmod(x)", {0, 4, 10}, {}, "", "did you mean `sigmoid`?") ==
          "digits.grad:1:5: error: what is wrong\n"
          "    1 | y = sigmod(x)\n"
          "      |     ^~~~~~\n"
          "      = did you mean `sigmoid`?\n");
    Sources sources;
    sources.add({"a.grad", "x = 1\nx = 2\n"});
    Diagnostic diagnostic{Code::unexpected_token, {0, 6, 7}, "twice", {}, {}, {{{0, 0, 1}, "first here"}}, {}};
    CHECK(print(diagnostic, sources) == "a.grad:2:1: error: twice\n"
                                        "    2 | x = 2\n"
                                        "      | ^\n"
                                        "a.grad:1:1: note: first here\n"
                                        "    1 | x = 1\n"
                                        "      | ^\n");
    CHECK(print(Diagnostic{Code::unexpected_token, {}, "no place", {}, {}, {}, {}}, sources) == "error: no place\n");
    CHECK(print(diagnostic, sources, true).find("\x1b[1;31merror:\x1b[0m") != std::string::npos);
}

TEST_CASE("after the limit errors are counted") {
    Sources sources;
    Diagnostics diagnostics;
    diagnostics.limit = 2;
    for (int i = 0; i < 5; ++i) diagnostics.report(Code::unexpected_token, {}, "error " + std::to_string(i));
    CHECK(diagnostics.count() == 5);
    CHECK(print(diagnostics, sources) == "error: error 0\nerror: error 1\n3 more errors are not shown\n");
}

TEST_CASE("the nearest name is found if it is near") {
    const std::vector<std::string> names{"sigmoid", "softmax", "relu", "tanh", "x", "mean"};
    CHECK(nearest("sigmod", names) == "sigmoid");
    CHECK(nearest("sofmtax", names) == "softmax");
    CHECK(nearest("ReLU", names) == "relu");
    CHECK(nearest("man", names) == "mean");
    CHECK(nearest("y", names) == std::nullopt);
    CHECK(nearest("convolution", names) == std::nullopt);
    CHECK(nearest("", names) == std::nullopt);
}
