// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs the programs of a split, and formats tables of metrics.
#include "runtime/train/evaluation.h"
#include "runtime/base/dtype.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

static MetricValue read_metric(const Session& session, const gradc_tensor& tensor, std::string name) {
    MetricValue metric{std::move(name), {tensor.shape, tensor.shape + tensor.rank}, {}};
    std::vector<unsigned char> bytes(static_cast<size_t>(tensor_bytes(tensor)));
    read_tensor(tensor, session.arena(), bytes.data());
    size_t size = size_t(element_size(tensor.dtype));
    for (size_t at = 0; at < bytes.size(); at += size) {
        metric.values.push_back(load_element(bytes.data() + at, tensor.dtype));
    }
    return metric;
}

std::vector<MetricValue> read_metrics(const Session& session, const gradc_block& block, int32_t finish) {
    std::vector<MetricValue> metrics;
    for (int32_t m = 0; m < block.metric_count; m++) {
        std::string_view name = block.metrics[m].name;
        const gradc_tensor* tensor = session.result(finish, name);
        if (!tensor) continue;
        bool several = session.module().block_count > 1;
        metrics.push_back(read_metric(session, *tensor, several ? text(block.name, '.', name) : std::string(name)));
    }
    return metrics;
}

void run_whole_split(Session& session, const gradc_whole_split& whole, Loader& loader, const Clock& clock) {
    session.clear_accumulators();
    for (int32_t pass = 0; pass < whole.pass_count; pass++) {
        loader.begin(0);
        while (!loader.at_end()) {
            int64_t rows = loader.next(session.module().batch, session.arena());
            session.run(whole.first_pass + pass, rows, clock);
        }
    }
    if (whole.finish >= 0) session.run(whole.finish, 1, clock);
}

SplitReport evaluate_split(Session& session, const Dataset& dataset, int split, const std::vector<Clock>& clocks) {
    const gradc_module& module = session.module();
    SplitReport report{dataset.splits[size_t(split)].name, {}};
    Loader loader(module, dataset, split, GRADC_FILE_ORDER, session.seed());
    for (int32_t b = 0; b < module.block_count; b++) {
        const gradc_block& block = module.blocks[b];
        if (block.evaluation.finish < 0) continue;
        run_whole_split(session, block.evaluation, loader, clocks[size_t(b)]);
        for (MetricValue& metric : read_metrics(session, block, block.evaluation.finish)) {
            report.metrics.push_back(std::move(metric));
        }
    }
    return report;
}

// ---- text --------------------------------------------------------------------------------------

std::string metric_number(double value) {
    double size = std::fabs(value);
    if (size != 0 && (size < 1e-3 || size >= 1e5)) return general(value, 5);
    return fixed(value, size >= 100 ? 2 : size >= 10 ? 3 : 4);
}

std::string metrics_line(const SplitReport& report) {
    std::string line;
    for (const MetricValue& metric : report.metrics) {
        if (metric.values.size() != 1) continue;
        line += text(line.empty() ? "" : "  ", metric.name, ' ', metric_number(metric.values[0]));
    }
    return line;
}

/// One line for each row of the last axis, right-aligned in columns with at least two spaces between; rows of more than
/// 80 columns continue in the next line.
static std::string table_of(const MetricValue& metric) {
    size_t columns = metric.shape.empty() ? 1 : size_t(metric.shape.back());
    std::vector<std::string> cells;
    size_t width = 9;
    for (double value : metric.values) {
        cells.push_back(general(value, 5));
        width = std::max(width, cells.back().size() + 2);
    }
    std::string lines;
    for (size_t i = 0; i < cells.size(); i++) {
        size_t column = i % columns;
        if (column > 0 && column % (80 / width) == 0) lines += '\n';
        lines += padded_left(cells[i], int(width));
        if (column + 1 == columns) lines += '\n';
    }
    return lines;
}

std::string metrics_lines(const SplitReport& report) {
    std::string lines;
    for (const MetricValue& metric : report.metrics) {
        if (metric.values.size() == 1) {
            lines += text(report.split, ' ', metric.name, ' ', metric_number(metric.values[0]), '\n');
        } else {
            lines += text(report.split, ' ', metric.name, '\n', table_of(metric));
        }
    }
    return lines;
}

static void write_values(JsonWriter& json, const MetricValue& metric, size_t axis, size_t& at) {
    if (axis == metric.shape.size()) {
        json.number(metric.values[at++]);
        return;
    }
    json.begin_array();
    for (int64_t i = 0; i < metric.shape[axis]; i++) write_values(json, metric, axis + 1, at);
    json.end_array();
}

void write_metrics(JsonWriter& json, const SplitReport& report) {
    json.begin_object();
    for (const MetricValue& metric : report.metrics) {
        size_t at = 0;
        json.key(metric.name);
        write_values(json, metric, 0, at);
    }
    json.end_object();
}

} // namespace gradc::runtime
