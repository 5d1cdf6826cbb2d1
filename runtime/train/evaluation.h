// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Metrics of a whole split: passes over its rows, then the program that finishes them; and their text and JSON.
#pragma once
#include "runtime/base/json.h"
#include "runtime/data/loader.h"
#include "runtime/session.h"

namespace gradc::runtime {

struct MetricValue {
    std::string name; // "accuracy"; "judge.loss" if the model has several blocks
    std::vector<int64_t> shape;
    std::vector<double> values; // C order
};
struct SplitReport {
    std::string split;
    std::vector<MetricValue> metrics;
};

/// The metrics of a block from the results of `finish`; those that it does not compute are left out.
std::vector<MetricValue> read_metrics(const Session& session, const gradc_block& block, int32_t finish);

/// Runs the passes of `whole` over the loader's rows and then its finish. Accumulators start at zero.
void run_whole_split(Session& session, const gradc_whole_split& integer, Loader& loader, const Clock& clock);

/// The evaluation metrics of every block over one split; `clocks` by block.
SplitReport evaluate_split(Session& session, const Dataset& dataset, int split, const std::vector<Clock>& clocks);

/// "loss 0.1234  accuracy 0.9650", scalars only.
std::string metrics_line(const SplitReport& report);
/// "test accuracy 0.9750", one a line; tables follow their name.
std::string metrics_lines(const SplitReport& report);
void write_metrics(JsonWriter& json, const SplitReport& report);
/// The format of losses and metrics: at least four significant digits, 0.9750.
std::string metric_number(double value);

} // namespace gradc::runtime
