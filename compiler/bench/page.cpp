// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bars as inline SVG above the table. If the shortest bar would be a dot, the bars are drawn again on a logarithmic
// scale.
#include "compiler/bench/report.h"
#include "compiler/page/html.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {

namespace {

constexpr const char* style =
#include "bench_style.inc"
    ;

constexpr double left = 110, full = 700, row_height = 30;

std::string bars(const BenchmarkResult& result, const std::vector<double>& lengths) {
    std::string text;
    double y = 0;
    for (size_t i = 0; i < lengths.size(); ++i) {
        if (!(lengths[i] > 0)) continue;
        const EngineResult& engine = result.engines[i];
        const char* kind = i == 0 ? "gradc" : engine.name == "interpreter" ? "interpreter" : "peer";
        double length = std::max(1.0, lengths[i] * full);
        text += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>"
                            "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"20\" rx=\"3\"/>"
                            "<text x=\"{:.1f}\" y=\"{}\">{}</text>\n",
                            left - 8, y + 19, html(engine.name), kind, left, y + 4, length, left + length + 8, y + 19,
                            time_text(engine.fastest));
        y += row_height;
    }
    return fmt::format("<svg viewBox=\"0 0 940 {}\" role=\"img\">\n{}</svg>\n", y, text);
}

/// The smallest share of the engines that were timed.
double shortest(const std::vector<double>& shares) {
    double least = 1;
    for (double share : shares)
        if (share > 0) least = std::min(least, share);
    return least;
}

/// 0 at a third of the shortest time, 1 at the longest.
std::vector<double> logarithmic(const std::vector<double>& shares) {
    double least = shortest(shares);
    std::vector<double> result;
    for (double share : shares) result.push_back(share > 0 ? std::log(3 * share / least) / std::log(3 / least) : 0);
    return result;
}

std::string cells(const std::vector<std::string>& texts, const char* tag) {
    std::string row;
    for (const std::string& text : texts) row += fmt::format("<{0}>{1}</{0}>", tag, html(text));
    return "<tr>" + row + "</tr>\n";
}

std::string table(const BenchmarkResult& result) {
    BenchmarkTable table = benchmark_table(result);
    std::string text = "<table>\n" + cells(table.heads, "th");
    for (const auto& row : table.rows)
        text += row.size() > 2 ? cells(row, "td")
                               : fmt::format("<tr><td>{}</td><td colspan=\"{}\">{}</td></tr>\n", html(row[0]),
                                             table.heads.size() - 1, html(row[1]));
    return text + "</table>\n";
}

} // namespace

std::string benchmark_page(const BenchmarkTitle& title, const BenchmarkResult& result) {
    std::vector<double> shares = bar_shares(result);
    std::string body = fmt::format("<h1>{}</h1>\n<p>{}</p>\n", html(title.model), html(conditions_text(title, result)));
    body += "<section><h2>Fastest time of a step</h2>\n" + bars(result, shares) + "</section>\n";
    if (shortest(shares) < 0.05)
        body +=
            "<section><h2>The same on a logarithmic scale</h2>\n" + bars(result, logarithmic(shares)) + "</section>\n";
    body += "<section>\n" + table(result) + "</section>\n";
    body +=
        fmt::format("<p>First step: with compilation, without imports. Peak: share of {:.1f} GFLOP/s, multiply-adds "
                    "between gradc's steps; a step has {:.4g} MFLOP. x: time divided by gradc's.</p>\n",
                    result.peak * 1e-9, result.flops * 1e-6);
    return fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\n"
                       "<meta name=\"viewport\" content=\"width=device-width\"><style>\n{}</style></head>\n"
                       "<body>\n{}</body></html>\n",
                       html(title.model), style, body);
}

} // namespace gradc
