// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the graph of one row to the columns of a data set: formulas for N rows. Values that rows take from the whole
// training split are separated as statistics.
#pragma once
#include "compiler/dataset/dataset.h"

namespace gradc {

struct RowField {
    std::string name;
    NodeId node = NodeId::none; // in the row graph
    Span span;
};

/// train.x in the row graph: the column [N, ..] of field `node` over the training split, as inputs "train.<field>".
NodeId train_column(Graph& row, NodeId node);

/// Fills columns, fields and statistics of `plan`; a row that uses a whole column without reducing it is an error.
void take_columns(Definitions& definitions, const Graph& row, const std::vector<RowField>& fields, DatasetPlan& plan);

} // namespace gradc
