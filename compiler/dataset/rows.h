// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The formulas of a data set are written for one row. `over_rows` turns the graph of a row into the same formulas for N
// rows. Values that depend on fields of the row or on random numbers get a first axis N; all others are unchanged.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

struct RowSources {
    /// The node of `target`, [N, ..], for a field of the row (an Input of the row graph without N).
    std::function<NodeId(Graph& target, const Node& input)> field;
    /// i32[N]: the numbers of the rows, for random numbers.
    std::function<NodeId(Graph& target)> row_numbers;
    /// The node of `target` for a value that is the same for all rows, if rows use it; NodeId::none: copy it.
    std::function<NodeId(Graph& target, NodeId fixed)> fixed;
    /// Whether an input differs from row to row. Default: fields without N do.
    std::function<bool(const Node& input)> varies;
};

/// The values of `roots` for N rows, as nodes of `target`; values that are the same for all rows are repeated.
std::vector<NodeId> over_rows(const Graph& row, const std::vector<NodeId>& roots, Graph& target,
                              const RowSources& sources);

/// True for nodes of a row graph whose value differs from row to row.
std::vector<bool> differs_by_row(const Graph& row, const RowSources& sources = {});

} // namespace gradc
