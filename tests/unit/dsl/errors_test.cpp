// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cases of tests/errors/syntax, and that they cover every code of the lexer and the parser.
#include "tests/errors/expectations.h"
#include "tests/unit/dsl/reading.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("syntax errors are those of the comments on their lines") {
    std::vector<std::string> paths = error_cases("syntax");
    CHECK(!paths.empty());
    for (const std::string& path : paths) {
        INFO(path);
        Reading reading = read_file(path);
        CHECK(disagreement(reading.sources, reading.diagnostics) == "");
    }
}

TEST_CASE("every syntax diagnostic has a case") {
    std::set<std::string> expected = expected_codes("syntax");
#define X(name, text) CHECK(expected.count(text) == 1);
    GRADC_SYNTAX_CODES(X)
#undef X
}
