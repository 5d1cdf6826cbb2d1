// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A data set's formulas are written for one row. `over_rows` turns the graph of a row into the same
// formulas for N rows at once: what depends on a row's fields, or draws random numbers, gets a
// first axis N; all else stays as it is.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc {

struct RowSources {
    /// Node of `target`, [N, ..], that stands for a row's field (an Input of the row graph without
    /// N).
    std::function<NodeId(Graph& target, const Node& input)> field;
    /// i32[N]: numbers of the rows, for random numbers.
    std::function<NodeId(Graph& target)> row_numbers;
    /// Node of `target` for a value that is the same for all rows, where rows use it; NodeId::none:
    /// a copy.
    std::function<NodeId(Graph& target, NodeId fixed)> fixed;
    /// Whether an input differs from row to row; without it, those without N that are fields do.
    std::function<bool(const Node& input)> varies;
};

/// The values of `roots` for N rows, as nodes of `target`; those that are the same for all rows are
/// repeated.
std::vector<NodeId> over_rows(const Graph& row, const std::vector<NodeId>& roots, Graph& target,
                              const RowSources& sources);

/// True for nodes of a row graph whose value differs from row to row.
std::vector<bool> differs_by_row(const Graph& row, const RowSources& sources = {});

} // namespace gradc
