// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parses dsl/std and reads the comments that the parser keeps.
#include "tests/library/entries.h"
#include "compiler/elaborate/definitions.h"
#include "dsl/parser.h"
#include <algorithm>
#include <map>

namespace gradc::library {

namespace {

std::string trimmed(const std::string& text) {
    size_t first = text.find_first_not_of(' '), last = text.find_last_not_of(" .");
    return first == text.npos || last == text.npos ? "" : text.substr(first, last - first + 1);
}

/// The part of a comment behind `word`, up to the next such word.
std::string part(const std::string& text, const std::string& word) {
    size_t begin = word.empty() ? 0 : text.find(word);
    if (begin == text.npos) return "";
    begin += word.size();
    size_t end = text.size();
    for (const char* next : {"Source:", "Kinks:", "Domain:", "Recording:"}) end = std::min(end, text.find(next, begin));
    return trimmed(text.substr(begin, end - begin));
}

/// Lines of the comment that belong to the item: those after the last blank one.
std::string comment_above(const ast::Item& item) {
    std::string text;
    for (const std::string& line : item.comments.before)
        text = line.empty() ? "" : text + " " + line.substr(line.find_first_not_of(' '));
    return text;
}

/// The function in one line, without the word in front of it.
std::string as_written(const std::string& source, const ast::Item& item) {
    std::string text;
    for (char c : source.substr(item.span.begin, item.span.end - item.span.begin))
        if (c == '\n' || c == ' ') text += text.empty() || text.back() == ' ' || text.back() == '(' ? "" : " ";
        else text += c;
    return text.substr(text.find(' ') + 1);
}

/// The length of a function's name, parameters and type at the start of its text.
size_t signature_length(const std::string& text) {
    int depth = 0;
    for (size_t at = 0; at < text.size(); ++at) {
        depth += text[at] == '(' || text[at] == '[';
        depth -= text[at] == ')' || text[at] == ']';
        bool ends = text.compare(at, 2, " {") == 0 || text.compare(at, 2, " =") == 0 ||
                    text.compare(at, 11, " derivative") == 0;
        if (depth == 0 && ends) return at;
    }
    return text.size();
}

} // namespace

std::vector<Entry> entries() {
    std::map<std::string, std::string_view> texts;
    for (const StandardFile& file : standard_library()) texts[file.name] = file.text;
    std::vector<Entry> result;
    for (std::string file :
         {"primitives", "activations", "losses", "layers", "convolution", "recurrent", "attention", "normalization",
          "axes", "augmentation", "init", "metrics", "optimizers", "optimizers_matrix", "schedules"}) {
        Sources sources;
        Diagnostics diagnostics;
        uint32_t source = sources.add({file, std::string(texts.at("std/" + file + ".grad"))});
        for (const ast::Item& item : parse(sources, source, diagnostics).items) {
            auto function = std::get_if<ast::Function>(&item.node);
            if (!function || function->name.starts_with('_')) continue; // parts of others
            std::string text = comment_above(item), written = as_written(sources.all[source].text, item);
            size_t length = signature_length(written);
            Entry entry{file,
                        function->name,
                        written.substr(0, length),
                        part(text, ""),
                        part(text, "Source:"),
                        part(text, "Kinks:"),
                        part(text, "Domain:"),
                        part(text, "Recording:")};
            if (file == "primitives") {
                entry.formula = trimmed(written.substr(length));
                if (entry.formula.starts_with("= ")) entry.formula.erase(0, 2);
                entry.kinks = trimmed(item.comments.beside);
            }
            result.push_back(entry);
        }
    }
    return result;
}

} // namespace gradc::library
