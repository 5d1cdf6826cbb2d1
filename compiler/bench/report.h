// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The report of a benchmark: text of 80 columns with a table and bars, an HTML page, a JSON object.
#pragma once
#include "compiler/bench/benchmark.h"

namespace gradc {

/// Conditions of a benchmark, for its title.
struct BenchmarkTitle {
    std::string model;      // "examples/xor/model.grad"
    int threads = 1;        // of each engine
    std::vector<int> cores; // that the engines ran on
    BenchmarkRules rules;
};

/// Conditions, table, bars and notes; lines end with "\n".
std::string benchmark_text(const BenchmarkTitle&, const BenchmarkResult&);
/// A whole HTML document that loads nothing.
std::string benchmark_page(const BenchmarkTitle&, const BenchmarkResult&);
/// One object; times are named by their unit: `_s` seconds, `_us` microseconds.
std::string benchmark_json(const BenchmarkTitle&, const BenchmarkResult&);

/// "48.1 ns", "1.53 ms": three digits or more.
std::string time_text(double seconds);
/// "1.21 MB": three digits or more; units of 1000.
std::string size_text(double bytes);

/// The table of both text and page.
struct BenchmarkTable {
    std::vector<std::string> heads;             // of the columns
    std::vector<std::vector<std::string>> rows; // one an engine; if it was not measured, just its name and a note
};
BenchmarkTable benchmark_table(const BenchmarkResult&);
/// One line: model, batch, instruction set, threads, cores, rounds and the comparison of losses.
std::string conditions_text(const BenchmarkTitle&, const BenchmarkResult&);
/// Each engine's time of a step, divided by the longest one; 0 if it was not measured.
std::vector<double> bar_shares(const BenchmarkResult&);

} // namespace gradc
