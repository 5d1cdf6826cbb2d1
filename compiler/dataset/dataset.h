// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One `dataset` block: what the trainer reads, how rows are split, and the formulas of its fields
// for N rows. What a formula takes from the training split as a whole (train.raw) becomes a
// statistic: a variable, computed once.
#pragma once
#include "compiler/elaborate/definitions.h"

namespace gradc {

struct DatasetPlan {
    DatasetSpec spec;
    std::vector<Output> fields;                      // of `columns`, in order of the text
    Graph columns;                                   // reads stored fields, "#row" and statistics
    std::vector<std::pair<std::string, Term>> sizes; // names that were solved from files or literals: V
    WholeSplit statistics;                           // assigns of the statistics
};

/// Nothing after an error.
std::optional<DatasetPlan> elaborate_dataset(Definitions& definitions, const ast::Dataset& dataset, uint32_t module);

/// Rows of all splits together, read from the files if need be; nothing after an error, reported at
/// `asked`.
std::optional<int64_t> count_rows(Definitions& definitions, const DatasetSpec& spec, Span asked);

} // namespace gradc
