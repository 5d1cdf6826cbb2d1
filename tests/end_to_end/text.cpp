// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C++ text is for people: it names values by their names in the model, and it is short.
#include "tests/end_to_end/session.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <sstream>

using namespace end_to_end;

namespace {

std::string text_of(const std::string& model, const Scratch& scratch) {
    Outcome outcome = run(quoted(gradc) + " inspect " + quoted(tree + model) + " --emit=cpp --isa avx2 -o text.cpp",
                          {.folder = scratch.path().string(), .limit = 120});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return scratch.read("text.cpp");
}

/// Lines with a node's id in a comment, such as "%17".
std::string lines_with_ids(const std::string& text) {
    std::istringstream lines(text);
    std::string result;
    for (std::string line; std::getline(lines, line);) {
        size_t comment = line.find("//");
        for (size_t at = line.find('%', comment); comment != line.npos && at != line.npos; at = line.find('%', at + 1))
            if (at + 1 < line.size() && std::isdigit(static_cast<unsigned char>(line[at + 1]))) result += line + "\n";
    }
    return result;
}

} // namespace

TEST_CASE("comments of the C++ text name values, not nodes", "[text]") {
    Scratch scratch;
    for (const char* model :
         {"/examples/digits/model.grad", "/examples/rnn_scan/model.grad", "/tests/performance/models/gpt/model.grad"}) {
        std::string text = text_of(model, scratch);
        INFO(model);
        CHECK(lines_with_ids(text) == "");
        CHECK(!contains(text, "maybe_unused"));
        CHECK(!contains(text, "int32_t()")); // a value before its definition
    }
    CHECK(contains(text_of("/examples/digits/model.grad", scratch), "// h = max("));
}

TEST_CASE("the C++ text of digits is short", "[text]") {
    Scratch scratch;
    std::string text = text_of("/examples/digits/model.grad", scratch);
    CHECK(std::count(text.begin(), text.end(), '\n') <= 2000);
}

TEST_CASE("the C++ text names a block's weights once", "[text]") {
    Scratch scratch;
    std::string text = text_of("/tests/performance/models/gpt/model.grad", scratch);
    CHECK(contains(text, " block_stride = "));
    CHECK(contains(text, "const uint32_t forward_block_attention_linear_1_uses[][4] = {"));
    CHECK(contains(text, "{at::block_attention_1_linear_1_bias + 3 * at::block_stride, "));
    CHECK(!contains(text, "block_2_layer_norm")); // of equal blocks, the first one's name
    CHECK(!contains(text, "arguments_"));
}
