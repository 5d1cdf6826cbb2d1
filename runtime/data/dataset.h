// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A data set in memory: the columns of its fields, and which rows belong to which split.
#pragma once
#include "runtime/data/column.h"
#include <memory>

namespace gradc::runtime {

struct Split {
    std::string name;
    std::vector<int64_t> rows; // ascending
};

struct Dataset {
    const gradc_dataset* table = nullptr;
    std::vector<Column> columns;  // one a field
    std::vector<Column> formulas; // of fields that are generated; see formulas.h
    std::vector<gradc_field> formula_fields;
    std::vector<Split> splits;
    int64_t rows = 0;

    /// Which split is trained on: the one called "train", else the first.
    int training_split() const;
    int find_split(std::string_view name) const; // -1: none
    /// Of all numbers and of the names of the fields; the splits aside.
    uint64_t hash() const;
};

/// Reads every column and cuts the rows into splits; `seed` draws the shuffle that is cut.
bool load_dataset(const gradc_dataset& table, const Places& places, int64_t seed, Dataset& dataset, Error& error);

/// Rows of all fields of `table` from one file in place of the fields' own: .npy, text for a field
/// of characters, else CSV. One split "rows".
bool load_rows(const gradc_dataset& table, const std::string& path, Dataset& dataset, Error& error);

} // namespace gradc::runtime
