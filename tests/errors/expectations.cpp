// Reads expectations from the raw text, so that they may be in comments, in texts and on lines of invalid UTF-8.
#include "tests/errors/expectations.h"
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <sstream>

namespace gradc {

namespace {

constexpr std::string_view openings[] = {"# error[", "# warning["};
constexpr std::string_view at = "# at ";

std::string_view trimmed(std::string_view text) {
    size_t begin = text.find_first_not_of(' ');
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(" \r") - begin + 1);
}

/// Where the next expectation begins at or behind `from`; npos if there is none.
size_t next_opening(std::string_view line, size_t from) {
    return std::min(line.find(openings[0], from), line.find(openings[1], from));
}

/// One expectation, of the text behind "# error[" or "# warning[" up to the next one.
Expectation read(std::string_view text) {
    Expectation result;
    size_t bracket = text.find("]:");
    result.code = text.substr(0, bracket);
    text = bracket == text.npos ? std::string_view{} : text.substr(bracket + 2);
    size_t column = text.rfind(at);
    if (column != text.npos) {
        result.column = static_cast<uint32_t>(std::stoul(std::string(text.substr(column + at.size()))));
        text = text.substr(0, column);
    }
    result.text = trimmed(text);
    return result;
}

bool meets(const Diagnostic& diagnostic, const Sources& sources, const Expectation& expected) {
    if (name(diagnostic.code) != expected.code || diagnostic.warning != expected.warning) return false;
    if (diagnostic.span.known()) {
        if (diagnostic.span.source != expected.source) return false;
        Place place = sources.place(diagnostic.span.source, diagnostic.span.begin);
        if (place.line != expected.line) return false;
        if (expected.column != 0 && place.column != expected.column) return false;
    }
    auto holds = [&](const std::string& text) { return text.find(expected.text) != text.npos; };
    return holds(diagnostic.message) || holds(diagnostic.caret) || holds(diagnostic.repair);
}

} // namespace

std::vector<Expectation> expectations_in(const Sources& sources) {
    std::vector<Expectation> result;
    for (uint32_t source = 0; source < sources.all.size(); ++source) {
        for (uint32_t number = 1; number <= sources.all[source].line_starts.size(); ++number) {
            std::string_view line = sources.line(source, number);
            for (size_t begin = next_opening(line, 0); begin != line.npos;) {
                size_t next = next_opening(line, begin + 1), open = line.find('[', begin) + 1;
                Expectation expected = read(line.substr(open, std::min(next, line.size()) - open));
                expected.warning = line.substr(begin).starts_with(openings[1]);
                expected.source = source;
                expected.line = number;
                result.push_back(std::move(expected));
                begin = next;
            }
        }
    }
    return result;
}

std::string disagreement(const Sources& sources, const Diagnostics& diagnostics) {
    std::string result;
    std::vector<Diagnostic> found = diagnostics.all();
    found.insert(found.end(), diagnostics.warnings().begin(), diagnostics.warnings().end());
    std::vector<bool> used(found.size());
    std::vector<Expectation> all = expectations_in(sources);
    if (all.empty()) result += "no expectation is written in the file\n";
    for (const Expectation& expected : all) {
        size_t i = 0;
        while (i < used.size() && (used[i] || !meets(found[i], sources, expected))) ++i;
        if (i < used.size()) used[i] = true;
        else
            result += fmt::format("{}:{}: expected but not found: [{}] {}{}\n", sources.all[expected.source].name,
                                  expected.line, expected.code, expected.text,
                                  expected.column ? fmt::format(" at column {}", expected.column) : "");
    }
    for (size_t i = 0; i < used.size(); ++i)
        if (!used[i]) result += fmt::format("not expected: [{}]\n{}", name(found[i].code), print(found[i], sources));
    if (diagnostics.count() > diagnostics.all().size()) result += "more errors than are kept\n";
    return result;
}

std::vector<std::string> error_cases(const std::string& folder) {
    std::vector<std::string> paths;
    std::filesystem::path root = std::filesystem::path(GRADC_SOURCE_DIR) / "tests/errors" / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
        if (entry.path().extension() == ".grad") paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::vector<std::pair<std::string, std::string>> settings_in(const std::string& text) {
    std::istringstream line(text.substr(0, text.find('\n')));
    std::vector<std::pair<std::string, std::string>> result;
    std::string sign, program, setting, value;
    if (!(line >> sign >> program) || sign != "#" || program != "gradc") return result;
    while (line >> setting >> value) {
        if (setting.rfind("--", 0) != 0) break;
        result.push_back({setting, value});
    }
    return result;
}

std::set<std::string> expected_codes(const std::string& folder) {
    std::set<std::string> codes;
    FileReader reader;
    for (const std::string& path : error_cases(folder)) {
        Sources sources;
        std::string reason;
        sources.add({path, reader.read(path, reason).value_or("")});
        for (Expectation& expected : expectations_in(sources)) codes.insert(std::move(expected.code));
    }
    return codes;
}

} // namespace gradc
