// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The text's copy of runtime/abi.h: its declarations without comments, as many members on a line as fit. People read the
// header itself; the copy is there so that the text compiles alone.
#include "compiler/target/cpp/prelude.h"
#include <fmt/format.h>
#include <sstream>
#include <string_view>

namespace gradc::target {

namespace {

constexpr const char* abi_text =
#include "abi_text.inc"
    ;

constexpr size_t widest = 120; // columns of the text

/// Without comments, directives and the braces of extern "C"; one blank between words.
std::string declarations(std::string text) {
    for (size_t begin; (begin = text.find("/*")) != std::string::npos;)
        text.erase(begin, text.find("*/", begin) + 2 - begin);
    std::istringstream lines(text);
    std::string result;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind('#', 0) == 0 || line == "extern \"C\" {" || line == "}") continue;
        std::istringstream words(line);
        for (std::string word; words >> word;) result += (result.empty() ? "" : " ") + word;
    }
    return result;
}

/// The parts of `text` behind each `end` that stands in no braces.
std::vector<std::string> parts(std::string_view text, char end) {
    std::vector<std::string> result(1);
    int depth = 0;
    for (char c : text) {
        depth += (c == '{') - (c == '}');
        if (c != ' ' || !result.back().empty()) result.back() += c;
        if (c == end && depth == 0) result.emplace_back();
    }
    if (result.back().empty()) result.pop_back();
    return result;
}

/// "typedef struct { const char* name; double fraction; } gradc_split;", on several lines where it is long.
std::string printed(const std::string& declaration) {
    size_t open = declaration.find('{'), close = declaration.rfind('}');
    if (declaration.size() <= widest || open == std::string::npos) return declaration + "\n";
    std::string result = declaration.substr(0, open + 1) + "\n", line = "   ";
    bool structure = declaration.find(';') < close;
    for (const std::string& member : parts(declaration.substr(open + 1, close - open - 1), structure ? ';' : ',')) {
        if (line.size() + 1 + member.size() > widest) result += line + "\n", line = "   ";
        line += " " + member;
    }
    return result + line + "\n" + declaration.substr(close) + "\n";
}

} // namespace

std::string abi_declarations() {
    std::string result = "#include <stddef.h>\n#include <stdint.h>\n\n"
                         "// The declarations of gradc/abi.h, which explains them.\nextern \"C\" {\n";
    for (const std::string& declaration : parts(declarations(abi_text), ';')) result += printed(declaration);
    return result + "}\n";
}

} // namespace gradc::target
