// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parser of the trainer's command line, the names of earlier versions, edit distance, and the layout of help.
#include "runtime/base/options.h"
#include "runtime/base/text.h"
#include <algorithm>

namespace gradc::runtime {

Option::Option(std::string_view name, std::string_view value, std::string_view help, bool value_optional, bool listed)
    : name(name), value(value), help(help), value_optional(value_optional), listed(listed) {}

/// The number of insertions, deletions, changes and swaps of neighbors that turn `a` into `b`.
static size_t distance(std::string_view a, std::string_view b) {
    std::vector<size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
    for (size_t j = 0; j <= b.size(); j++) row[j] = j;
    for (size_t i = 1; i <= a.size(); i++) {
        next[0] = i;
        for (size_t j = 1; j <= b.size(); j++) {
            next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] != b[j - 1])});
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
        }
        std::swap(before, row);
        std::swap(row, next);
    }
    return row[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
    std::string best;
    size_t least = std::max<size_t>(1, word.size() / 3) + 1;
    for (const std::string& name : names) {
        size_t far = distance(word.substr(0, 100), name);
        if (name.size() > word.size() && word.size() >= 3 && name.starts_with(word)) far = std::min<size_t>(far, 1);
        if (far < least) least = far, best = name;
    }
    return best;
}

std::string_view present_name(std::string_view before) {
    static constexpr std::string_view renamed[][2] = {
        {"batch", "batch-size"},   {"data", "data-dir"},   {"out", "output"},         {"names", "class-names"},
        {"rate", "learning-rate"}, {"limit", "max-nodes"}, {"unfused", "no-fuse"},    {"against", "engines"},
        {"at", "value"},           {"precision", "dtype"}, {"paths", "trajectories"}, {"about", "info"}};
    for (const auto& [old_name, now] : renamed) {
        if (old_name == before) return now;
    }
    return "";
}

static bool unknown_flag(std::string_view name, const std::vector<Option>& options, Error& error) {
    std::string_view now = present_name(name);
    std::vector<std::string> names{"help"};
    for (const Option& option : options) {
        if (!now.empty() && option.name == now) return error.fail_as(wrong_usage, "--", name, " is called --", now);
        names.push_back(option.name);
    }
    std::string near = nearest(name, names);
    return error.fail_as(wrong_usage, "unknown flag --", name, near.empty() ? "" : "; did you mean --", near,
                         near.empty() ? "; --help lists all" : "?");
}

bool Arguments::parse(const std::vector<std::string>& words, const std::vector<Option>& options, Error& error) {
    bool flags_ended = false;
    for (size_t at = 0; at < words.size(); at++) {
        const std::string& word = words[at];
        if (flags_ended || !word.starts_with("-") || word == "-") {
            others_.push_back(word);
            continue;
        }
        if (word == "--") {
            flags_ended = true;
            continue;
        }
        size_t dashes = word.starts_with("--") ? 2 : 1, equals = word.find('=');
        std::string name = word.substr(dashes, equals == std::string::npos ? equals : equals - dashes);
        bool short_output = dashes == 1 && name == "o";
        if (short_output) name = "output";
        auto option = std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.name == name; });
        if ((dashes == 1 && !short_output) || option == options.end()) return unknown_flag(name, options, error);
        Given given{name, ""};
        if (equals != std::string::npos) {
            if (option->value.empty()) return error.fail_as(wrong_usage, "--", name, " takes no value");
            given.value = word.substr(equals + 1);
        } else if (!option->value.empty() && !option->value_optional) {
            if (at + 1 >= words.size())
                return error.fail_as(wrong_usage, "--", name, " needs a value: ", option->value);
            given.value = words[++at];
        }
        if (given.value.empty() && !option->value.empty() && !option->value_optional)
            return error.fail_as(wrong_usage, "--", name, " needs a value: ", option->value);
        given_.push_back(given);
    }
    return true;
}

const Arguments::Given* Arguments::find(std::string_view name) const {
    for (size_t at = given_.size(); at-- > 0;) {
        if (given_[at].name == name) return &given_[at];
    }
    return nullptr;
}

std::string Arguments::value(std::string_view name) const {
    const Given* given = find(name);
    return given ? given->value : "";
}

bool Arguments::integer(std::string_view name, int64_t low, int64_t high, int64_t& number, Error& error) const {
    const Given* given = find(name);
    if (!given) return true;
    if (parse_integer(given->value, number) && number >= low && number <= high) return true;
    return error.fail_as(wrong_usage, "--", name, ": `", given->value, "` is not an integer in ", low, "..", high);
}

bool Arguments::number(std::string_view name, double& number, Error& error) const {
    const Given* given = find(name);
    if (!given || (parse_number(given->value, number) && number == number)) return true;
    return error.fail_as(wrong_usage, "--", name, ": `", given->value, "` is not a number");
}

// ---- help --------------------------------------------------------------------------------------

std::string wrapped(std::string_view text, int first_column, int indent) {
    std::string result;
    int column = first_column;
    while (!text.empty()) {
        size_t end = std::min(text.find(' '), text.size());
        std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        int width = columns_of(word);
        if (column > indent && column + 1 + width > 80) {
            result += '\n' + std::string(size_t(indent), ' ');
            column = indent;
        } else if (!result.empty()) {
            result += ' ';
            column++;
        }
        result += word;
        column += width;
    }
    return result;
}

std::string describe(const std::vector<Option>& options) {
    constexpr int help_column = 26;
    std::string result;
    for (const Option& option : options) {
        if (!option.listed) continue;
        std::string value = option.value.empty() ? ""
                                                 : text(option.value_optional ? "[=" : " ", option.value,
                                                        option.value_optional ? "]" : "");
        std::string left = text("  --", option.name, value);
        result += columns_of(left) < help_column - 1 ? padded(left, help_column)
                                                     : left + "\n" + std::string(help_column, ' ');
        result += wrapped(option.help, help_column, help_column) + "\n";
    }
    return result;
}

} // namespace gradc::runtime
