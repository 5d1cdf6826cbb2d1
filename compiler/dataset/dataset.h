// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One `dataset` block: the fields that the trainer reads, the splits of the rows, and the formulas of the fields for N
// rows. A value of the whole training split (train.raw) in a formula becomes a statistic: a variable that is computed
// once.
#pragma once
#include "compiler/elaborate/definitions.h"

namespace gradc {

struct DatasetPlan {
    DatasetSpec spec;
    std::vector<Output> fields;                      // outputs of `columns`, in order of the text
    Graph columns;                                   // reads stored fields, "#row" and statistics
    std::vector<std::pair<std::string, Term>> sizes; // sizes that files or literals determine: V
    WholeSplit statistics;                           // assigns of the statistics
};

/// Nothing after an error.
std::optional<DatasetPlan> elaborate_dataset(Definitions& definitions, const ast::Dataset& dataset, uint32_t module);

/// Rows of all splits together, read from the files if necessary; nothing after an error, which is reported at `asked`.
std::optional<int64_t> count_rows(Definitions& definitions, const DatasetSpec& spec, Span asked);

} // namespace gradc
