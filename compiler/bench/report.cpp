// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The text fits 80 columns: fixed widths for the table, notes wrapped beside the engine's name, bars in eighths of a
// cell.
#include "compiler/bench/report.h"
#include "compiler/util/figures.h"
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace gradc {

namespace {

constexpr size_t width = 80;

bool measured(const EngineResult& engine) { return engine.state == EngineResult::State::measured; }

/// Three significant digits, or all digits before the point.
std::string digits(double value) {
    if (value >= 100) return grouped(int64_t(value + 0.5));
    return value >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

std::string counted(size_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

double ratio(const BenchmarkResult& result, const EngineResult& engine) {
    return engine.fastest / result.engines[0].fastest;
}

std::string padded(const std::string& text, size_t size, bool left) {
    std::string space(size > columns(text) ? size - columns(text) : 0, ' ');
    return left ? space + text : text + space;
}

/// Wraps `text` to `width` columns; the first line begins with `first`, the others with as many spaces.
std::string wrapped(const std::string& first, const std::string& text) {
    std::string result, line = first;
    bool empty = true;
    for (size_t at = 0; at < text.size();) {
        size_t end = std::min(text.find(' ', at), text.size());
        std::string word = text.substr(at, end - at);
        if (!empty && columns(line) + 1 + columns(word) > width) {
            result += line + "\n";
            line = std::string(columns(first), ' ');
            empty = true;
        }
        line += (empty ? "" : " ") + word;
        empty = false;
        at = end + 1;
    }
    return result + line + "\n";
}

/// A bar of `share` of `cells` columns, in eighths of a column.
std::string bar(double share, size_t cells) {
    static constexpr const char* parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int64_t eighths = std::max<int64_t>(1, int64_t(share * double(cells) * 8 + 0.5));
    std::string text;
    for (int64_t i = 0; i < eighths / 8; ++i) text += "█";
    return text + parts[eighths % 8];
}

std::string table_text(const BenchmarkResult& result) {
    static constexpr size_t widths[] = {12, 11, 10, 10, 12, 8, 8, 5, 0};
    BenchmarkTable table = benchmark_table(result);
    auto line = [&](const std::vector<std::string>& cells) {
        std::string text;
        for (size_t i = 0; i < cells.size(); ++i) {
            size_t size = widths[i] ? widths[i] : width - 76;
            text += i + 1 == cells.size() ? " " + padded(cells[i], size - 1, true) : padded(cells[i], size, i > 0);
        }
        return text + "\n";
    };
    std::string text = line(table.heads);
    for (const auto& row : table.rows)
        text += row.size() > 2 ? line(row) : wrapped(padded(row[0], widths[0], false) + " ", row[1]);
    return text;
}

std::string bars_text(const BenchmarkResult& result) {
    std::vector<double> shares = bar_shares(result);
    std::string text = "fastest time of a step; shorter is better\n";
    for (size_t i = 0; i < shares.size(); ++i)
        if (shares[i] > 0)
            text += padded(result.engines[i].name, 12, false) + " " + bar(shares[i], 54) + " " +
                    time_text(result.engines[i].fastest) + "\n";
    return text;
}

std::string starts_text(const BenchmarkResult& result) {
    std::string text;
    for (const EngineResult& engine : result.engines)
        if (measured(engine))
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", engine.name, time_text(engine.start));
    return wrapped("", "Start of the process, imports and data, not counted above: " + text + ".");
}

} // namespace

std::string time_text(double seconds) {
    if (seconds < 1e-6) return digits(seconds * 1e9) + " ns";
    if (seconds < 1e-3) return digits(seconds * 1e6) + " us";
    if (seconds < 1) return digits(seconds * 1e3) + " ms";
    return digits(seconds) + " s";
}

std::string size_text(double bytes) {
    if (bytes < 1e6) return digits(bytes / 1e3) + " KB";
    if (bytes < 1e9) return digits(bytes / 1e6) + " MB";
    return digits(bytes / 1e9) + " GB";
}

BenchmarkTable benchmark_table(const BenchmarkResult& result) {
    BenchmarkTable table;
    table.heads = {"engine", "first step", "fastest", "median", "rows/s", "memory", "shipped", "peak", "x"};
    for (const EngineResult& engine : result.engines) {
        if (!measured(engine)) {
            table.rows.push_back({engine.name, engine.note});
            continue;
        }
        double share = result.peak > 0 ? result.flops / engine.fastest / result.peak : 0;
        double times = ratio(result, engine);
        table.rows.push_back({engine.name, time_text(engine.compile + engine.first_step), time_text(engine.fastest),
                              time_text(engine.median), grouped(int64_t(double(result.batch) / engine.median)),
                              size_text(double(engine.peak_memory)), size_text(double(engine.shipped_bytes)),
                              fmt::format("{:.0f}%", 100 * share),
                              times < 9.95 ? fmt::format("{:.1f}", times) : fmt::format("{:.0f}", times)});
    }
    return table;
}

std::string conditions_text(const BenchmarkTitle& title, const BenchmarkResult& result) {
    std::string cores;
    for (int core : title.cores) cores += (cores.empty() ? "" : ", ") + std::to_string(core);
    const BenchmarkRules& rules = title.rules;
    return fmt::format("{}: batches of {}, {}, {} on core{} {}, {} of {:g} s in turns. Losses of {} steps from the "
                       "same weights on the same rows agree within {:g} of each.",
                       title.model, result.batch, result.isa, counted(size_t(title.threads), "thread"),
                       title.cores.size() == 1 ? "" : "s", cores, counted(size_t(rules.rounds), "round"), rules.seconds,
                       rules.steps, rules.tolerance);
}

std::vector<double> bar_shares(const BenchmarkResult& result) {
    double longest = 0;
    for (const EngineResult& engine : result.engines)
        if (measured(engine)) longest = std::max(longest, engine.fastest);
    std::vector<double> shares;
    for (const EngineResult& engine : result.engines) shares.push_back(measured(engine) ? engine.fastest / longest : 0);
    return shares;
}

std::string benchmark_text(const BenchmarkTitle& title, const BenchmarkResult& result) {
    std::string text = wrapped("", conditions_text(title, result)) + "\n" + table_text(result);
    if (!measured(result.engines[0])) return text;
    text += "\n" + bars_text(result) + "\n" + starts_text(result);
    text += wrapped("", fmt::format("Peak: share of {:.1f} GFLOP/s, the multiply-adds of {} registers between gradc's "
                                    "steps; a step has {:.4g} MFLOP. x: time divided by gradc's.",
                                    result.peak * 1e-9, result.isa, result.flops * 1e-6));
    return text;
}

std::string benchmark_json(const BenchmarkTitle& title, const BenchmarkResult& result) {
    nlohmann::ordered_json json = {{"model", title.model},           {"isa", result.isa},
                                   {"threads", title.threads},       {"cores", title.cores},
                                   {"rounds", title.rules.rounds},   {"batch", result.batch},
                                   {"flops_per_step", result.flops}, {"peak_flops", result.peak}};
    for (const EngineResult& engine : result.engines) {
        nlohmann::ordered_json one = {{"engine", engine.name}, {"measured", measured(engine)}, {"note", engine.note}};
        if (measured(engine)) {
            one["compile_s"] = engine.compile;
            one["start_s"] = engine.start;
            one["first_step_s"] = engine.first_step;
            one["fastest_us"] = engine.fastest * 1e6;
            one["median_us"] = engine.median * 1e6;
            one["rows_per_second"] = double(result.batch) / engine.median;
            one["peak_bytes"] = engine.peak_memory;
            one["shipped_bytes"] = engine.shipped_bytes;
            one["share_of_peak"] = result.peak > 0 ? result.flops / engine.fastest / result.peak : 0;
            one["ratio"] = ratio(result, engine);
            one["losses"] = engine.losses;
        }
        json["engines"].push_back(one);
    }
    return json.dump(2) + "\n";
}

} // namespace gradc
