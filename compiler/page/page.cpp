// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The frame of the page and its text panels. Drawings have files of their own; page.css and page.js are embedded.
#include "compiler/page/page.h"
#include "compiler/page/links.h"
#include "compiler/util/figures.h"
#include <fmt/format.h>

namespace gradc {
namespace {

constexpr const char* page_style =
#include "page_style.inc"
    ;

constexpr const char* page_script =
#include "page_script.inc"
    ;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < text.size();) {
        size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

std::string model_panel(const PageContent& content, const PageLinks& links) {
    std::string text = "<ol class=\"source\">\n";
    std::vector<std::string> lines = lines_of(content.text);
    for (size_t i = 0; i < lines.size(); ++i) {
        size_t comment = lines[i].find('#');
        std::string shown = comment == lines[i].npos ? html(lines[i])
                                                     : html(lines[i].substr(0, comment)) + "<span class=\"comment\">" +
                                                           html(lines[i].substr(comment)) + "</span>";
        std::string to = links.of_line(uint32_t(i + 1));
        text += to.empty() ? fmt::format("<li id=\"{}\"><code>{}</code></li>\n", PageIds::line(i + 1), shown)
                           : fmt::format("<li class=\"part\" id=\"{}\" data-to=\"{}\" "
                                         "tabindex=\"0\"><code>{}</code></li>\n",
                                         PageIds::line(i + 1), to, shown);
    }
    return text + "</ol>\n";
}

std::string formula_panel(const PageProgram& program, const PageIds& ids, const PageLinks& links) {
    static constexpr const char* titles[] = {"Forward", "Backward", "Updates"};
    std::string text;
    for (int lane = 0; lane < 3; ++lane) {
        std::string list;
        for (size_t i = 0; i < program.values.size(); ++i) {
            const PageValue& value = program.values[i];
            if (value.lane != Lane(lane)) continue;
            std::string right = value.formula.empty() ? "<span class=\"comment\">" + value.role + "</span>"
                                                      : "= " + html(value.formula);
            list += fmt::format("<li class=\"part {}\" id=\"{}\" data-to=\"{}\" "
                                "tabindex=\"0\"><code><b>{}</b> {}</code>"
                                "<span class=\"type\">{}</span></li>\n",
                                value.role, ids.formula(i), links.of_value(ids, i, false), html(value.name), right,
                                html(value.type));
        }
        if (!list.empty()) text += fmt::format("<h3>{}</h3>\n<ul class=\"formulas\">\n{}</ul>\n", titles[lane], list);
    }
    return text;
}

/// The text as HTML with dimmed comments.
std::string cpp_html(const std::string& code) {
    std::string result;
    for (const std::string& line : lines_of(code)) {
        size_t comment = line.find("//");
        result += comment == line.npos ? html(line)
                                       : html(line.substr(0, comment)) + "<span class=\"comment\">" +
                                             html(line.substr(comment)) + "</span>";
        result += "\n";
    }
    return result;
}

std::string code_panel(const PageProgram& program, const PageIds& ids, const PageLinks& links) {
    std::string text;
    for (size_t i = 0; i < program.kernels.size(); ++i) {
        const PageKernel& kernel = program.kernels[i];
        text += fmt::format("<section class=\"part kernel\" id=\"{}\" data-to=\"{}\" "
                            "tabindex=\"0\"><h3>{}</h3><pre><code>{}</code></pre></section>\n",
                            ids.kernel(i), links.of_kernel(ids, i), html(kernel.name), cpp_html(kernel.text));
    }
    return text;
}

std::string panel(const char* name, const char* title, const std::string& note, const std::string& content) {
    return fmt::format("<section class=\"panel {}\" aria-label=\"{}\"><h2>{}<span>{}</span></h2><div "
                       "class=\"scroll\">\n{}</div></section>\n",
                       name, title, title, note, content);
}

std::string program_panels(const PageContent& content, size_t number, const PageLinks& links) {
    const PageProgram& program = content.programs[number];
    PageIds ids{number};
    std::string text =
        fmt::format("<div class=\"program\" id=\"program{}\"{}>\n", number, number ? " hidden=\"hidden\"" : "");
    text += panel("graph-panel", "Graph", fmt::format("{} values", program.values.size()),
                  graph_drawing(program, ids, links));
    text += panel("formula-panel", "Formulas", "", formula_panel(program, ids, links));
    text += panel("code-panel", "C++",
                  fmt::format("{} kernel{}", program.kernels.size(), program.kernels.size() == 1 ? "" : "s"),
                  code_panel(program, ids, links));
    text += panel("memory-panel", "Memory", fmt::format("arena of {} bytes", grouped(content.arena_bytes)),
                  memory_drawing(program, ids, links));
    return text + "</div>\n";
}

std::string legend() {
    static constexpr const char* roles[] = {"data", "parameter", "value", "gradient", "optimizer"};
    static constexpr const char* names[] = {"data", "parameters", "forward values", "gradients",
                                            "optimizer state and updates"};
    std::string text = "<p class=\"legend\">";
    for (size_t i = 0; i < std::size(roles); ++i)
        text += fmt::format("<span class=\"{}\"><i></i>{}</span>", roles[i], names[i]);
    return text + "</p>\n";
}

std::string tabs(const PageContent& content) {
    if (content.programs.size() < 2) return "";
    std::string text = "<p class=\"tabs\">";
    for (size_t i = 0; i < content.programs.size(); ++i)
        text += fmt::format("<button type=\"button\" data-program=\"program{}\" aria-pressed=\"{}\">{}</button>", i,
                            i ? "false" : "true", html(content.programs[i].name));
    return text + "</p>\n";
}

} // namespace

std::string html_page(PageContent content) {
    PageLinks links(content.programs);
    std::string text = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                       "<meta name=\"color-scheme\" content=\"light dark\"/>\n";
    text += fmt::format("<title>{}, compiled</title>\n<style>\n{}</style>\n</head>\n<body>\n", html(content.title),
                        page_style);
    text += fmt::format("<header><h1>{}</h1><p class=\"subtitle\">{}</p>\n{}{}</header>\n<main>\n", html(content.title),
                        html(content.subtitle), tabs(content), legend());
    text += panel("model-panel", "Model", "point at a line, a box, a formula, a kernel or a block of memory",
                  model_panel(content, links));
    for (size_t i = 0; i < content.programs.size(); ++i) text += program_panels(content, i, links);
    text += fmt::format("</main>\n<script>\n{}</script>\n</body>\n</html>\n", page_script);
    return text;
}

} // namespace gradc
