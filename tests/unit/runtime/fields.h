// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Field and data set tables for tests, with the memory that they point to.
#pragma once
#include "runtime/abi.h"
#include <deque>
#include <string>
#include <vector>

/// Tables are plain pointers; this owns the memory behind them.
class Tables {
public:
    gradc_field& field(const char* name, const char* reader, int32_t stored, std::vector<int64_t> shape) {
        const std::vector<int64_t>& kept = numbers_.emplace_back(std::move(shape));
        gradc_field& field = fields_.emplace_back();
        field.name = name;
        field.reader = reader;
        field.stored = stored;
        field.rank = int32_t(kept.size());
        field.shape = kept.data();
        field.low = 0, field.high = -1;
        field.stride = 1;
        return field;
    }
    void file(gradc_field& field, std::vector<gradc_file> files) {
        const std::vector<gradc_file>& kept = files_.emplace_back(std::move(files));
        field.files = kept.data();
        field.file_count = int32_t(kept.size());
    }
    void columns(gradc_field& field, std::vector<int64_t> columns) {
        const std::vector<int64_t>& kept = numbers_.emplace_back(std::move(columns));
        field.columns = kept.data();
        field.column_count = int32_t(kept.size());
    }
    void named(gradc_field& field, std::vector<const char*> names) {
        const std::vector<const char*>& kept = names_.emplace_back(std::move(names));
        field.column_names = kept.data();
        field.column_name_count = int32_t(kept.size());
    }
    void literal(gradc_field& field, std::vector<double> values, int64_t rows) {
        field.values = values_.emplace_back(std::move(values)).data();
        field.rows = rows;
    }
    /// Of all fields so far.
    gradc_dataset dataset(std::vector<gradc_split> splits, bool in_order = false) {
        const std::vector<gradc_split>& kept = splits_.emplace_back(std::move(splits));
        all_.assign(fields_.begin(), fields_.end());
        return {"rows", all_.data(), kept.data(), int32_t(all_.size()), int32_t(kept.size()), in_order, 0};
    }

private:
    std::deque<std::vector<int64_t>> numbers_;
    std::deque<std::vector<gradc_file>> files_;
    std::deque<std::vector<const char*>> names_;
    std::deque<std::vector<double>> values_;
    std::deque<std::vector<gradc_split>> splits_;
    std::deque<gradc_field> fields_;
    std::vector<gradc_field> all_;
};
