// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every program of the language's pages, the library and the examples has no error, and a canonical form with the same
// tree that is its own canonical form.
#include "tests/fuzz/parser_property.h"
#include "tests/unit/dsl/reading.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

void check_program(const std::string& text) {
    Reading reading = read_text(text);
    CHECK(reading.errors() == "");
    CHECK(!reading.module.items.empty());
    CHECK(broken_parser_property(text) == "");
}

std::string text_of(const std::string& path) {
    std::string reason;
    auto text = FileReader{}.read(path, reason);
    INFO(path << ": " << reason);
    REQUIRE(text.has_value());
    return *text;
}

} // namespace

TEST_CASE("programs parse and print") {
    size_t count = 0;
    for (const char* folder : {"tests/unit/dsl/programs", "dsl/std", "examples"}) {
        for (const std::string& path : model_files(folder)) {
            INFO(path);
            check_program(text_of(path));
            ++count;
        }
    }
    CHECK(count >= 18);
}

TEST_CASE("the examples of the language reference parse and print") {
    std::string text = text_of(GRADC_SOURCE_DIR "/dsl/README.md");
    const std::string fence = "```grad\n";
    size_t count = 0;
    for (size_t begin = text.find(fence); begin != text.npos; begin = text.find(fence, begin + 1), ++count) {
        size_t first = begin + fence.size();
        std::string program = text.substr(first, text.find("```", first) - first);
        INFO(program);
        check_program(program);
    }
    CHECK(count >= 5);
}
