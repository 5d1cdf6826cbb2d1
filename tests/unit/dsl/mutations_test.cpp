// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parser's properties on damaged programs: parts deleted, doubled, swapped, replaced by others or by bytes. Seeds
// are fixed; the fuzzer tries others.
#include "tests/fuzz/parser_property.h"
#include "tests/unit/dsl/reading.h"
#include <catch2/catch.hpp>
#include <filesystem>
#include <random>

using namespace gradc;

namespace {

std::vector<std::string> programs() {
    std::vector<std::string> texts;
    std::string reason;
    for (const std::string& path : model_files("tests/unit/dsl/programs"))
        texts.push_back(FileReader{}.read(path, reason).value());
    return texts;
}

/// The tokens of a text with the text between them.
std::vector<std::string> pieces(const std::string& text) {
    Sources sources;
    Diagnostics diagnostics;
    Tokens tokens = lex(sources, sources.add({"t", text}), diagnostics);
    std::vector<std::string> result;
    uint32_t end = 0;
    for (const Token& token : tokens.all) {
        result.push_back(text.substr(end, token.begin - end));
        result.push_back(text.substr(token.begin, token.end - token.begin));
        end = token.end;
    }
    return result;
}

std::string mutated(const std::vector<std::string>& all, std::mt19937& random) {
    std::vector<std::string> parts = all;
    constexpr const char* extra[] = {
        "(",  ")",     "[",     "]",   "{",    "}", "'", "..",     "=",  "<-",   "->",           ",", ";",
        "\n", "# c\n", "scan ", "if ", "not ", "-", "^", " # d\n", "\"", "\xFF", "\xE2\x88\x92", "1."};
    auto any = [&](size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random); };
    size_t edits = 1 + any(4);
    for (size_t i = 0; i < edits; ++i) {
        size_t a = any(parts.size()), b = any(parts.size());
        switch (any(5)) {
        case 0: parts[a].clear(); break;
        case 1: parts[a] += parts[a]; break;
        case 2: std::swap(parts[a], parts[b]); break;
        case 3: parts[a] = parts[b]; break;
        default: parts[a] += extra[any(std::size(extra))];
        }
    }
    std::string result;
    for (const std::string& part : parts) result += part;
    return result;
}

} // namespace

TEST_CASE("damaged programs parse or give errors") {
    std::mt19937 random(7);
    size_t valid = 0;
    for (const std::string& text : programs()) {
        std::vector<std::string> all = pieces(text);
        for (int i = 0; i < 150; ++i) {
            std::string damaged = mutated(all, random);
            std::string broken = broken_parser_property(damaged);
            if (!broken.empty()) FAIL_CHECK(damaged << "\n" << broken);
            valid += codes_of(damaged).empty();
        }
    }
    CHECK(valid > 100); // also the round trip was at work
}

TEST_CASE("random bytes parse or give errors") {
    std::mt19937 random(11);
    std::uniform_int_distribution<int> byte(0, 255), length(0, 300);
    constexpr char letters[] = "fn model{}()[]'.,:;=<>-+*/^@%\"# \nx1..";
    std::uniform_int_distribution<size_t> letter(0, sizeof letters - 2);
    for (int i = 0; i < 2000; ++i) {
        std::string text(static_cast<size_t>(length(random)), ' ');
        for (char& c : text) c = i % 2 ? static_cast<char>(byte(random)) : letters[letter(random)];
        std::string broken = broken_parser_property(text);
        if (!broken.empty()) FAIL_CHECK(text << "\n" << broken);
    }
}

TEST_CASE("the fuzzer's corpus parses or gives errors") {
    std::filesystem::path folder = std::filesystem::path(GRADC_SOURCE_DIR) / "tests/fuzz/corpus/parser";
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::string reason;
        auto text = FileReader{}.read(entry.path().string(), reason);
        INFO(entry.path() << reason);
        REQUIRE(text.has_value());
        CHECK(broken_parser_property(*text) == "");
        ++count;
    }
    CHECK(count > 500);
}

TEST_CASE("a long file of errors ends in bounded time") {
    auto times = [](size_t count, const std::string& text) {
        std::string result;
        for (size_t i = 0; i < count; ++i) result += text;
        return result;
    };
    for (const char* line : {")\n", "x[\n", "fn f() {\n", "fn f(x) { if {\n",
                             "\xE2\x80\x9C"
                             "a\n",
                             "?\n", "'\n", "a = = b\n", "/*\n", "fn f() { x[a](\n"}) {
        INFO(line);
        CHECK(read_text(times(100000, line)).diagnostics.failed());
    }
}
