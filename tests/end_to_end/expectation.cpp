// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An expectation is a list of words that is searched at every place of a line of output. If a line has carriage
// returns, only the text after the last one counts. Nothing here depends on the output of trainers.
#include "tests/end_to_end/expectation.h"
#include <cmath>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

namespace end_to_end {
namespace {

std::optional<double> number_of(const std::string& word) {
    char* end = nullptr;
    double value = std::strtod(word.c_str(), &end);
    if (word.empty() || *end) return {};
    return value;
}

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (size_t last = line.rfind('\r'); last != line.npos)
            line = line.substr(last + 1); // a progress line's last state
        lines.push_back(line);
    }
    return lines;
}

/// Words of an expectation stay as written, except that `~ x +- e` and the like stay apart.
std::vector<std::string> plain_words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

/// One expectation at `words[at]` against one word of output; moves `at` behind it.
bool word_matches(const std::vector<std::string>& words, size_t& at, const std::string& found) {
    const std::string& word = words[at];
    bool bar = word == ">=" || word == "<=";
    if (bar || word == "~") {
        std::optional<double> value = number_of(found), bound = number_of(words.at(at + 1));
        if (!value || !bound || std::isnan(*value)) return false;
        if (word == ">=" && *value < *bound) return false;
        if (word == "<=" && *value > *bound) return false;
        if (word == "~" && std::abs(*value - *bound) > number_of(words.at(at + 3)).value_or(0)) return false;
        at += bar ? 2 : 4;
        return true;
    }
    ++at;
    return word == found || words_of(word) == std::vector<std::string>{found};
}

bool matches_from(const std::vector<std::string>& words, const std::vector<std::string>& found, size_t first) {
    size_t at = 0;
    for (size_t i = first; at < words.size(); ++i)
        if (i >= found.size() || !word_matches(words, at, found[i])) return false;
    return true;
}

/// The words before the first comparison, which select the lines.
std::vector<std::string> subject(const std::vector<std::string>& words) {
    std::vector<std::string> result;
    for (const std::string& word : words) {
        if (word == ">=" || word == "<=" || word == "~") break;
        result.push_back(word);
    }
    return result;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

bool well_formed(const std::vector<std::string>& words) {
    for (size_t i = 0; i < words.size(); ++i) {
        if ((words[i] == ">=" || words[i] == "<=") && (i + 1 >= words.size() || !number_of(words[i + 1]))) return false;
        if (words[i] == "~" &&
            (i + 3 >= words.size() || !number_of(words[i + 1]) || words[i + 2] != "+-" || !number_of(words[i + 3])))
            return false;
    }
    return !words.empty();
}

void add_line(Expected& expected, const std::string& text, int number) {
    auto fail = [&](const std::string& why) { expected.error = "line " + std::to_string(number) + ": " + why; };
    if (text.rfind("needs ", 0) == 0) return expected.needs.push_back(text.substr(6));
    if (text.rfind("if ", 0) == 0) return void(expected.condition = text.substr(3));
    if (text == "full") return void(expected.full = true);
    if (text.rfind("$ ", 0) == 0) {
        expected.steps.push_back({text.substr(2),
                                  std::exchange(expected.condition, ""),
                                  std::exchange(expected.full, false),
                                  0,
                                  {},
                                  number});
        return;
    }
    if (expected.steps.empty()) return fail("an expectation before the first command");
    Step& step = expected.steps.back();
    std::vector<std::string> words = plain_words(text);
    if (words[0] == "exit" && words.size() == 2 && number_of(words[1])) {
        step.exit_code = std::atoi(words[1].c_str());
        return;
    }
    Line line{Line::Kind::in_order, words, number};
    if (words[0] == "every") line.kind = Line::Kind::every;
    if (words[0] == "!") line.kind = Line::Kind::never;
    if (line.kind != Line::Kind::in_order) line.words.erase(line.words.begin());
    if (!well_formed(line.words)) return fail("a bar is written `>= x`, `<= x` or `~ x +- e`");
    step.lines.push_back(line);
}

std::string complaint(const Line& line, const std::string& why) {
    return "expected.txt:" + std::to_string(line.number) + ": " + why + ": " + joined(line.words);
}

void compare_every(const Line& line, const std::vector<std::string>& output, Comparison& result) {
    for (const std::string& text : output) {
        if (!matches(subject(line.words), text)) continue;
        if (result.found.empty()) result.found = text;
        if (!matches(line.words, text)) return void(result.error = complaint(line, "`" + text + "` is not"));
    }
    if (result.found.empty()) result.error = complaint(line, "no line is about");
}

} // namespace

Expected parse_expected(const std::string& text) {
    Expected expected;
    int number = 0;
    for (const std::string& line : split_lines(text)) {
        ++number;
        if (plain_words(line).empty() || line[0] == '#') continue;
        add_line(expected, line, number);
        if (!expected.error.empty()) return expected;
    }
    if (expected.steps.empty()) expected.error = "no command";
    return expected;
}

std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words = plain_words(line);
    for (std::string& word : words)
        while (word.size() > 1 && std::string(",;:%").find(word.back()) != std::string::npos) word.pop_back();
    return words;
}

bool matches(const std::vector<std::string>& words, const std::string& line) {
    std::vector<std::string> found = words_of(line);
    for (size_t first = 0; first < found.size(); ++first)
        if (matches_from(words, found, first)) return true;
    return false;
}

bool Comparison::has_bar() const { return subject(plain_words(line)) != plain_words(line); }

std::vector<Comparison> compare_lines(const Step& step, const std::string& output) {
    std::vector<Comparison> result;
    std::vector<std::string> lines = split_lines(output);
    size_t next = 0;
    for (const Line& line : step.lines) {
        Comparison& one = result.emplace_back(Comparison{joined(line.words), "", ""});
        if (line.kind == Line::Kind::every) {
            compare_every(line, lines, one);
        } else if (line.kind == Line::Kind::never) {
            for (const std::string& text : lines)
                if (matches(line.words, text)) one = {one.line, text, complaint(line, "must not stand there")};
        } else {
            size_t at = next;
            while (at < lines.size() && !matches(line.words, lines[at])) ++at;
            if (at == lines.size()) one.error = complaint(line, "not found");
            else one.found = lines[at], next = at + 1;
        }
    }
    return result;
}

std::vector<std::string> compare(const Step& step, const std::string& output, int exit_code) {
    std::vector<std::string> failures;
    if (exit_code != step.exit_code)
        failures.push_back("exit code " + std::to_string(exit_code) + ", not " + std::to_string(step.exit_code));
    for (const Comparison& one : compare_lines(step, output))
        if (!one.error.empty()) failures.push_back(one.error);
    return failures;
}

} // namespace end_to_end
