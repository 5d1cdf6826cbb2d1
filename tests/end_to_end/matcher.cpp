// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The matcher of expected.txt must be able to fail: outputs that it accepts and outputs that it refuses.
#include "tests/end_to_end/expectation.h"
#include <catch2/catch.hpp>

using namespace end_to_end;

namespace {
std::vector<std::string> faults(const std::string& expected, const std::string& output, int code = 0) {
    Expected parsed = parse_expected("$ x\n" + expected);
    REQUIRE(parsed.error == "");
    return compare(parsed.steps.at(0), output, code);
}
} // namespace

TEST_CASE("a comparison matches one number", "[matcher]") {
    CHECK(faults("test accuracy >= 0.96", "epoch 40  test accuracy 0.977,\n").empty());
    CHECK(!faults("test accuracy >= 0.96", "test accuracy 0.95\n").empty());
    CHECK(!faults("test accuracy >= 0.96", "test accuracy nan\n").empty());
    CHECK(!faults("test accuracy >= 0.96", "test accuracy\n").empty());
    CHECK(!faults("test accuracy >= 0.96", "train accuracy 0.99\n").empty());
    CHECK(faults("loss <= 1e-3", "loss 0.0009").empty());
    CHECK(!faults("loss <= 1e-3", "loss 0.002").empty());
    CHECK(faults("loss ~ 0.25 +- 1e-3 after", "loss 0.2505 after 3").empty());
    CHECK(!faults("loss ~ 0.25 +- 1e-3", "loss 0.252").empty());
}

TEST_CASE("lines are found in order", "[matcher]") {
    CHECK(faults("a = 1\nb = 2", "a = 1\nx\nb = 2\n").empty());
    CHECK(!faults("a = 1\nb = 2", "b = 2\na = 1\n").empty());
    CHECK(!faults("a = 1\na = 1", "a = 1\n").empty());
    CHECK(!faults("a = 1", "a = 12\n").empty());
    CHECK(faults("d/dx = -4", "   d/dx = -4;\n").empty());
}

TEST_CASE("`every`, `!` and `exit`", "[matcher]") {
    CHECK(faults("every accuracy >= 0.5", "accuracy 0.6\nother\naccuracy 0.7\n").empty());
    CHECK(!faults("every accuracy >= 0.5", "accuracy 0.6\naccuracy 0.4\n").empty());
    CHECK(!faults("every accuracy >= 0.5", "nothing\n").empty());
    CHECK(!faults("! warning", "a warning b\n").empty());
    CHECK(faults("! warning", "all good\n").empty());
    CHECK(!faults("", "", 1).empty());
    CHECK(faults("exit 1", "", 1).empty());
    CHECK(!faults("exit 1", "", 0).empty());
}

TEST_CASE("the last state of a progress line counts", "[matcher]") {
    CHECK(faults("loss <= 1", "loss 3\rloss 2\rloss 0.5\n").empty());
    CHECK(!faults("loss <= 1", "loss 0.5\rloss 2\n").empty());
}

TEST_CASE("`full` marks the next command, and a comparison names the line that it found", "[matcher]") {
    Expected expected = parse_expected("$ a\nfull\n$ b\ntest accuracy >= 0.9\nwords\n! error\n$ c\n");
    REQUIRE(expected.error == "");
    REQUIRE(expected.steps.size() == 3);
    CHECK_FALSE(expected.steps[0].full);
    CHECK(expected.steps[1].full);
    CHECK_FALSE(expected.steps[2].full);
    std::vector<Comparison> lines =
        compare_lines(expected.steps[1], "test accuracy 0.8\nwords 3\ntest accuracy 0.95\n");
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].line == "test accuracy >= 0.9");
    CHECK(lines[0].found == "test accuracy 0.95");
    CHECK(lines[0].error == "");
    CHECK(lines[0].has_bar());
    CHECK_FALSE(lines[1].has_bar());
    CHECK(lines[1].error != ""); // it stands above the line before
    CHECK(lines[2].error == "");
}

TEST_CASE("a malformed expected.txt is an error", "[matcher]") {
    CHECK(parse_expected("").error != "");
    CHECK(parse_expected("value 8\n").error != "");
    CHECK(parse_expected("$ x\nloss >= high\n").error != "");
    CHECK(parse_expected("$ x\nloss ~ 1\n").error != "");
    CHECK(parse_expected("needs mnist\n$ x\n").needs == std::vector<std::string>{"mnist"});
}
