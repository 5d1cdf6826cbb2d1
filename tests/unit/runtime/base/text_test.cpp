// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers to text and back, and the flags of the command line.
#include "runtime/base/console.h"
#include "runtime/base/options.h"
#include "runtime/base/text.h"
#include "runtime/train/evaluation.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

using namespace gradc::runtime;

TEST_CASE("parts of a text are joined") {
    CHECK(text("step ", 12, '/', int64_t(-3), std::string(" of "), std::string_view("x")) == "step 12/-3 of x");
    CHECK(text() == "");
    CHECK(integer(INT64_MIN) == "-9223372036854775808");
    CHECK(grouped(1234567) == "1,234,567");
    CHECK(grouped(-123) == "-123");
    CHECK(general(0.25) == "0.25");
    CHECK(general(std::nan("")) == "nan");
    CHECK(fixed(0.975, 4) == "0.9750");
    CHECK(byte_size(1536) == "1.5 KB");
    CHECK(duration(0.0000032) == "3.20 us");
    CHECK(duration(1.34e-7) == "134 ns");
    CHECK(duration(2.396801) == "2.40 s");
    CHECK(duration(0.0123) == "12.3 ms");
    CHECK(duration(0.0009996) == "1.00 ms");
    CHECK(duration(0.00099949) == "999 us");
    CHECK(duration(9.996) == "10.0 s");
    CHECK(duration(59.94) == "59.9 s");
    CHECK(duration(59.96) == "1:00");
    CHECK(duration(0) == "0.00 ns");
    CHECK(duration(75) == "1:15");
    CHECK(duration(3661) == "1:01:01");
    CHECK(padded("é", 3) == "é  ");
    CHECK(padded_left("12", 4) == "  12");
}

TEST_CASE("control characters are shown as escapes") {
    CHECK(visible("plain é € 😀 `a\\b`") == "plain é € 😀 `a\\b`");
    CHECK(visible("\x1b[2J\r\n\t\a\x7f") == "\\x1b[2J\\r\\n\\t\\x07\\x7f");
    CHECK(visible(std::string_view("a\0b", 3)) == "a\\x00b");
    CHECK(visible("a\nb\tc", true) == "a\nb\\tc");
    CHECK(visible("\u202e\u2066\u200b\u2028\ufeff\u009b") == "\\u202e\\u2066\\u200b\\u2028\\ufeff\\u009b");
    CHECK(visible("\U000e0041") == "\\U000e0041");
    CHECK(visible("\xff\xc3(\xe2\x82") == "\\xff\\xc3(\\xe2\\x82");
    CHECK(visible(visible("\x1b\xff")) == visible("\x1b\xff"));
    CHECK(quoted(std::string(39, 'a') + "é") == "`" + std::string(39, 'a') + "..`");
    CHECK(quoted(std::string(38, 'a') + "é") == "`" + std::string(38, 'a') + "é`");
    Error error;
    error.fail("a\nb\x1b.csv", ": error: x\x1b\ny");
    CHECK(error.message == "a\\nb\\x1b.csv: error: x\\x1b\ny");
}

TEST_CASE("lines break between values") {
    CHECK(broken_between_values("epoch 1/2  loss 0.5  acc 0.25", 80) == "epoch 1/2  loss 0.5  acc 0.25");
    CHECK(broken_between_values("epoch 1/2  loss 0.5  acc 0.25", 29) == "epoch 1/2  loss 0.5  acc 0.25");
    CHECK(broken_between_values("epoch 1/2  loss 0.5  acc 0.25", 28) == "epoch 1/2  loss 0.5\n    acc 0.25");
    CHECK(broken_between_values("epoch 1/2  loss 0.5  acc 0.25", 10) == "epoch 1/2\n    loss 0.5\n    acc 0.25");
    CHECK(broken_between_values("a  b\n  c  d", 4) == "a  b\n  c\n    d");
    CHECK(broken_between_values("ää  öö", 6) == "ää  öö");
}

TEST_CASE("values of a metric are separated") {
    CHECK(metrics_lines({"test", {{"rate", {2}, {0.0027114, 0.0022846}}}}) == "test rate\n  0.0027114  0.0022846\n");
    CHECK(metrics_lines({"test", {{"m", {2, 2}, {1, -2.3968e-300, 3, 4}}}}) ==
          "test m\n             1  -2.3968e-300\n             3             4\n");
    std::string many = metrics_lines({"test", {{"m", {20}, std::vector<double>(20, 12345)}}});
    for (size_t begin = 0, end; begin < many.size(); begin = end + 1) {
        end = many.find('\n', begin);
        CHECK(end - begin <= 80);
    }
    CHECK(metrics_lines({"test", {{"loss", {}, {0.25}}}}) == "test loss 0.2500\n");
}

TEST_CASE("exact text reads back as the same number") {
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double number;
        memcpy(&number, &state, 8);
        if (!std::isfinite(number) || std::fabs(number) < 1e-290) continue;
        double read = 0;
        REQUIRE(parse_number(exact(number), read));
        REQUIRE(read == number);
        REQUIRE(strtod(exact(number).c_str(), nullptr) == number);
    }
    CHECK(exact(0.1) == "0.1");
    CHECK(exact(1e-3) == "0.001");
}

TEST_CASE("numbers are read as the C library reads them") {
    for (const char* good : {"0", "-1.5", "+2", ".5", "5.", "1e5", "1E-3", "12345678901234567890",
                             "3.14159265358979323846", "1e308", "1e400", "-0", "0.000001", "4.9e-5", "00012"}) {
        INFO(good);
        double number = -1;
        REQUIRE(parse_number(good, number));
        CHECK(number == strtod(good, nullptr));
    }
    double number;
    CHECK((parse_number("nan", number) && std::isnan(number)));
    CHECK((parse_number("-inf", number) && number < 0));
    for (const char* bad :
         {"", "-", ".", "e5", "1e", "1x", "0x10", " 1", "1 ", "1,5", "nan(1)", "--1", "1.2.3", "six"}) {
        INFO(bad);
        CHECK_FALSE(parse_number(bad, number));
    }
    int64_t integer_number;
    CHECK((parse_integer("20_000", integer_number) && integer_number == 20000));
    CHECK_FALSE(parse_integer("99999999999999999999", integer_number));
    CHECK_FALSE(parse_integer("1.0", integer_number));
}

static std::vector<Option> options() {
    return {{"rate", "NUMBER", "rate of descent"},
            {"epochs", "E", "passes"},
            {"quiet", "", "errors only"},
            {"resume", "anyway", "go on", true}};
}

TEST_CASE("flags are read in both forms and the last wins") {
    Arguments arguments;
    Error error;
    REQUIRE(arguments.parse({"--rate", "3", "file", "--rate=-4e-1", "--quiet", "--resume", "--", "--rate"}, options(),
                            error));
    double rate = 0;
    CHECK(arguments.number("rate", rate, error));
    CHECK(rate == -0.4);
    CHECK(arguments.has("quiet"));
    CHECK(arguments.value("resume") == "");
    CHECK(arguments.others() == std::vector<std::string>{"file", "--rate"});
    CHECK_FALSE(error);
}

TEST_CASE("errors for wrong flags suggest the nearest one") {
    struct Case {
        std::vector<std::string> words;
        const char* message;
    };
    for (const Case& wrong :
         {Case{{"--rat", "3"}, "unknown flag --rat; did you mean --rate?"},
          Case{{"--epohcs", "3"}, "unknown flag --epohcs; did you mean --epochs?"},
          Case{{"--hidden", "3"}, "unknown flag --hidden; --help lists all"},
          Case{{"-rate", "3"}, "unknown flag --rate; did you mean --rate?"},
          Case{{"--rate"}, "--rate needs a value: NUMBER"}, Case{{"--quiet=yes"}, "--quiet takes no value"}}) {
        Arguments arguments;
        Error error;
        CHECK_FALSE(arguments.parse(wrong.words, options(), error));
        CHECK(error.message == wrong.message);
        CHECK(error.code == wrong_usage);
    }
    Arguments arguments;
    Error error;
    REQUIRE(arguments.parse({"--epochs", "2.5"}, options(), error));
    int64_t epochs = 1;
    CHECK_FALSE(arguments.integer("epochs", 0, 1 << 20, epochs, error));
    CHECK(error.message == "--epochs: `2.5` is not an integer in 0..1048576");
}

TEST_CASE("help keeps to 80 columns") {
    std::vector<Option> long_ones = options();
    long_ones.push_back({"a-very-long-name-of-a-flag", "WITH-A-VALUE",
                         std::string(30, 'w') + " " + std::string(30, 'v') + " and more words to wrap"});
    std::string help = describe(long_ones);
    size_t begin = 0;
    for (size_t end; (end = help.find('\n', begin)) != std::string::npos; begin = end + 1) {
        CHECK(columns_of(help.substr(begin, end - begin)) <= 80);
    }
}
