// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A data set in memory: the columns of its fields, and the rows of each split.
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
    std::vector<Column> formulas; // of generated fields; see formulas.h
    std::vector<gradc_field> formula_fields;
    std::vector<Split> splits;
    int64_t rows = 0;
    Dictionaries dictionaries; // of all fields of strings; those given before the rows are read stay as they are

    /// The split to train on: the one called "train", else the first.
    int training_split() const;
    int find_split(std::string_view name) const; // -1 if there is none
    /// Hash of all numbers and of the names of the fields, without the splits.
    uint64_t hash() const;
};

/// Reads every column and cuts the rows into splits after a shuffle by `seed`.
bool load_dataset(const gradc_dataset& table, const Places& places, int64_t seed, Dataset& dataset, Error& error);

/// Reads the rows of all fields of `table` from one file instead of the fields' own: by the reader of the file's
/// suffix, else by that of the fields, if all have the same, else as CSV. The only split is "rows". Strings get the
/// codes of dataset.dictionaries.
bool load_rows(const gradc_dataset& table, const std::string& path, Dataset& dataset, Error& error);

} // namespace gradc::runtime
