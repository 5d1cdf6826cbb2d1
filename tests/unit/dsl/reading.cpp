// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lexer, parser and printer in one call each.
#include "tests/unit/dsl/reading.h"
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace gradc {

Reading read_text(std::string text) {
    Reading reading;
    uint32_t source = reading.sources.add({"test.grad", std::move(text)});
    reading.module = parse(reading.sources, source, reading.diagnostics);
    return reading;
}

Reading read_file(const std::string& path) {
    std::string reason;
    return read_text(FileReader{}.read(path, reason).value_or("unreadable: " + reason));
}

std::string tree_of_expression(const std::string& text) {
    Reading reading = read_text("const x = " + text + "\n");
    if (reading.diagnostics.failed()) return "error: " + codes_of("const x = " + text + "\n");
    return dump(*std::get<ast::Constants>(reading.module.items.at(0).node).all.at(0).value);
}

std::string tree_of(const std::string& text) {
    Reading reading = read_text(text);
    if (reading.diagnostics.failed()) return "error: " + codes_of(text);
    std::string result;
    for (char c : dump(reading.module)) {
        if (c == '\n') c = ' ';
        if (c != ' ' || (!result.empty() && result.back() != ' ')) result += c;
    }
    return result.substr(0, result.find_last_not_of(' ') + 1);
}

std::string canonical(const std::string& text) {
    Reading reading = read_text(text);
    return reading.diagnostics.failed() ? "error: " + reading.errors() : print(reading.module);
}

std::string codes_of(const std::string& text) {
    Reading reading = read_text(text);
    std::string result;
    for (const Diagnostic& each : reading.diagnostics.all()) {
        Place place = reading.sources.place(each.span.source, each.span.begin);
        result += fmt::format("{}{}@{}:{}", result.empty() ? "" : " ", name(each.code), place.line, place.column);
    }
    return result;
}

std::vector<std::string> model_files(const std::string& folder) {
    std::vector<std::string> paths;
    std::filesystem::path root = std::filesystem::path(GRADC_SOURCE_DIR) / folder;
    if (!std::filesystem::exists(root)) return paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
        if (entry.path().extension() == ".grad") paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    return paths;
}

} // namespace gradc
