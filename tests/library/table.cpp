// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines are made from the findings; all of a line but its errors is compared with the README.
#include "tests/library/table.h"
#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace gradc::library {

namespace {

/// Text that a Markdown table shows as it is.
std::string cell(const std::string& text) {
    std::string result;
    bool code = false; // in backticks only `|` has a meaning
    for (char c : text) {
        code ^= c == '`';
        if (c == '|' || (!code && (c == '*' || c == '_' || c == '<'))) result += '\\';
        result += c;
    }
    return result.empty() || result == "-" ? " " : result;
}

std::string digits(double error) { return error == 0 ? "0" : fmt::format("{:.1e}", error); }

constexpr int columns = 7;

/// Lines of the table, of which the first column is code.
std::vector<std::string> table_lines(std::istream& in) {
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        if (line.rfind("| `", 0) == 0 && std::count(line.begin(), line.end(), '|') > columns) lines.push_back(line);
    return lines;
}

/// The last two columns, the errors, of each entry by name.
using Errors = std::map<std::string, std::pair<std::string, std::string>>;
Errors errors_in(std::istream& in) {
    Errors errors;
    for (std::string line; std::getline(in, line);) {
        size_t end = line.rfind(" |"), second = line.rfind("| ", end - 1), first = line.rfind("| ", second - 1);
        if (line.rfind("| `", 0) != 0 || first == 0 || first == line.npos) continue;
        errors[line.substr(3, line.find_first_of("(`", 3) - 3)] = {line.substr(first + 2, second - first - 3),
                                                                   line.substr(second + 2, end - second - 2)};
    }
    return errors;
}

/// The error to print: the known one unless the new one is larger, so that machines do not take turns.
std::string kept(const std::string& known, const std::string& measured) {
    bool was_number = !known.empty() && known != " ", is_number = measured != " ";
    return was_number && is_number && std::stod(measured) <= std::stod(known) ? known : measured;
}

/// A line without its last two columns, the errors.
std::string without_errors(const std::string& line) {
    size_t last = line.size();
    for (int i = 0; i < 3; ++i) last = line.rfind('|', last - 1);
    return line.substr(0, last);
}

} // namespace

std::string table_of(const std::vector<Entry>& entries, const Findings& findings, const std::string& path) {
    std::ifstream before(path);
    Errors known = errors_in(before);
    std::string text, file;
    for (const Entry& entry : entries) {
        if (entry.file != file)
            text += fmt::format("\n### {}.grad\n| signature | formula | source | derivative at kinks | "
                                "domain | value | gradient |\n|---|---|---|---|---|---:|---:|\n",
                                entry.file);
        file = entry.file;
        auto found = findings.of.find(entry.name);
        Finding finding = found == findings.of.end() ? Finding{} : found->second;
        const auto& [value, gradient] = known[entry.name];
        text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", entry.signature, cell(entry.formula),
                            cell(entry.source), cell(entry.kinks), cell(entry.domain),
                            kept(value, finding.cases ? digits(finding.value_error) : " "),
                            kept(gradient, finding.differentiated ? digits(finding.gradient_error) : " "));
    }
    return text;
}

void compare_with_readme(const std::string& path, const std::string& table, Findings& findings) {
    std::ifstream file(path);
    std::istringstream made(table);
    std::set<std::string> there, wanted;
    for (const std::string& line : table_lines(file)) there.insert(without_errors(line));
    for (const std::string& line : table_lines(made)) wanted.insert(without_errors(line));
    for (const std::string& line : wanted)
        if (!there.count(line)) findings.error(fmt::format("{} lacks the line {}", path, line));
    for (const std::string& line : there)
        if (!wanted.count(line)) findings.error(fmt::format("{} has a line too many: {}", path, line));
}

void write_readme(const std::string& path, const std::string& table, Findings& findings) {
    const std::string mark = "<!-- table -->\n";
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    size_t place = text.str().find(mark);
    if (place == std::string::npos) {
        findings.error(fmt::format("{} has no line {}", path, mark));
        return;
    }
    std::ofstream(path) << text.str().substr(0, place + mark.size()) << table;
}

} // namespace gradc::library
