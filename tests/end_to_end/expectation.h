// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected.txt of an example: commands and their output, with comparisons and tolerances in place of digits that depend
// on the machine. README.md beside this file describes the format.
#pragma once
#include <string>
#include <vector>

namespace end_to_end {

struct Line {
    enum class Kind { in_order, every, never } kind = Kind::in_order;
    std::vector<std::string> words;
    int number = 0; // in expected.txt
};

struct Step {
    std::string command;
    std::string condition; // a command that must succeed, or this step is left out
    bool full = false;     // of `./run examples` only
    int exit_code = 0;
    std::vector<Line> lines;
    int number = 0;
};

struct Expected {
    std::vector<std::string> needs; // folders of GRADC_DATA
    std::vector<Step> steps;
    std::string condition; // of the next step, while reading
    bool full = false;     // likewise
    std::string error;     // why the file cannot be read, or ""
};

Expected parse_expected(const std::string& text);

/// The words of a line of output, without the commas, colons and the like that end them.
std::vector<std::string> words_of(const std::string& line);

/// True if `line` has the words side by side. `>= x`, `<= x` and `~ x +- e` each match one number.
bool matches(const std::vector<std::string>& words, const std::string& line);

/// One line of a step, compared with the output of its command.
struct Comparison {
    std::string line;     // as in expected.txt: "test accuracy >= 0.96"
    std::string found;    // the line of output, "" if there is none; of `every` the first
    std::string error;    // "" if it is as expected
    bool has_bar() const; // it compares a number
};
std::vector<Comparison> compare_lines(const Step& step, const std::string& output);

/// What is wrong with `output`, one line each; empty if nothing is.
std::vector<std::string> compare(const Step& step, const std::string& output, int exit_code);

} // namespace end_to_end
