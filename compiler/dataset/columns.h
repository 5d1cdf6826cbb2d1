// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the graph of one row to the columns of a data set: formulas for N rows, and what rows take
// from the training split as a whole, cut out as statistics.
#pragma once
#include "compiler/dataset/dataset.h"

namespace gradc {

struct RowField {
    std::string name;
    NodeId node = NodeId::none; // of the row graph
    Span span;
};

/// train.x in the row graph: the column [N, ..] of field `node` over the training split, made of
/// inputs "train.<field>".
NodeId train_column(Graph& row, NodeId node);

/// Fills columns, fields and statistics of `plan`; reports where a row meets a whole column.
void take_columns(Definitions& definitions, const Graph& row, const std::vector<RowField>& fields, DatasetPlan& plan);

} // namespace gradc
