// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a contest is told as: a table and bars in text of 80 columns, a page with the same as SVG, one JSON object.
#pragma once
#include "compiler/bench/benchmark.h"

namespace gradc {

struct BenchmarkTitle {
    std::string model; // "examples/xor/model.grad"
    int threads = 1;
    std::vector<int> cores;
    BenchmarkRules rules;
};

std::string benchmark_text(const BenchmarkTitle&, const BenchmarkResult&);
std::string benchmark_page(const BenchmarkTitle&, const BenchmarkResult&);
std::string benchmark_json(const BenchmarkTitle&, const BenchmarkResult&);

/// "48.1 ns", "1.53 ms"; three digits.
std::string time_text(double seconds);
std::string size_text(double bytes);

/// The rows of the table as both text and page have them: heads first.
struct BenchmarkTable {
    std::vector<std::string> heads;
    std::vector<std::vector<std::string>> rows; // cells; only the name and a note where an engine was not measured
};
BenchmarkTable benchmark_table(const BenchmarkResult&);
/// One line: threads, cores, rounds, what was compared.
std::string conditions_text(const BenchmarkTitle&, const BenchmarkResult&);
/// The time of a step as a share of the longest one, 0 where it was not measured; in the order of the engines.
std::vector<double> bar_shares(const BenchmarkResult&);

} // namespace gradc
