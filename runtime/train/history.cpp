// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The JSON: [{"epoch": 1, "step": 8, "train": {"loss": 0.25, "confusion": [[3, 0], [1, 4]]}}]
#include "runtime/train/history.h"
#include <cmath>

namespace gradc::runtime {

void write_epochs(JsonWriter& json, const std::vector<EpochReport>& epochs) {
    json.begin_array();
    for (const EpochReport& epoch : epochs) {
        json.begin_object().key("epoch").integer(epoch.epoch).key("step").integer(epoch.step);
        for (const SplitReport& split : epoch.splits) {
            json.key(split.split);
            write_metrics(json, split);
        }
        json.end_object();
    }
    json.end_array();
}

static void read_values(const JsonValue& json, size_t depth, MetricValue& metric) {
    if (json.kind != JsonValue::Kind::array) {
        metric.values.push_back(json.kind == JsonValue::Kind::number ? json.number : NAN);
        return;
    }
    if (metric.shape.size() <= depth) metric.shape.push_back(int64_t(json.items.size()));
    for (const JsonValue& item : json.items) read_values(item, depth + 1, metric);
}

/// Reads as many numbers as the shape of the metric has.
static bool is_whole_metric(const MetricValue& metric) {
    double count = 1;
    for (int64_t size : metric.shape) count *= double(size);
    return count == double(metric.values.size());
}

static bool read_epoch(const JsonValue& json, EpochReport& epoch) {
    for (size_t i = 0; i < json.names.size(); i++) {
        const JsonValue& value = json.items[i];
        if (value.kind == JsonValue::Kind::number) {
            if (!(value.number >= 1 && value.number < 0x1p53)) return false;
            (json.names[i] == "epoch" ? epoch.epoch : epoch.step) = int64_t(value.number);
            continue;
        }
        SplitReport split{json.names[i], {}};
        for (size_t m = 0; m < value.names.size(); m++) {
            MetricValue metric{value.names[m], {}, {}};
            read_values(value.items[m], 0, metric);
            if (!is_whole_metric(metric)) return false;
            split.metrics.push_back(std::move(metric));
        }
        epoch.splits.push_back(std::move(split));
    }
    return epoch.epoch > 0 && epoch.step > 0;
}

bool read_epochs(std::string_view text, std::vector<EpochReport>& epochs) {
    JsonValue json;
    bool good = read_json(text, json) && json.kind == JsonValue::Kind::array;
    for (const JsonValue& item : json.items) {
        EpochReport epoch;
        good = good && read_epoch(item, epoch);
        epochs.push_back(std::move(epoch));
    }
    if (!good) epochs.clear();
    return good;
}

} // namespace gradc::runtime
