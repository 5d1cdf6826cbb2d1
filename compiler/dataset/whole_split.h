// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formulas of a whole split (metrics, statistics of a column), computed batch by batch. In the given graph N is the
// number of rows of the split. Values of single rows are computed in a pass over the batches. Each reduction over N
// becomes an accumulator (f64, zero at the start) to which every batch adds its part. Values after reductions are
// computed from the accumulators: in later passes if rows need them (sum((y - mean(y))^2) takes two), else once in
// `finish`, in f64.
#pragma once
#include "compiler/spec/training.h"

namespace gradc {

struct WholeSplitRequest {
    std::string prefix;                   // of the accumulators' paths: "train.evaluation"
    std::vector<Output> batch_means = {}; // scalars of a batch: the result is their mean, weighted by rows
    std::vector<Output> formulas = {};    // of the whole split
    bool single_pass = false;             // leave out formulas that need more than one pass
    int block = -1;                       // of the accumulators
};

struct SplitProblem {
    std::string output;
    NodeId node; // that cannot be split
    std::string reason;
};

struct SplitFormulas {
    WholeSplit split; // finish: one f64 output for each formula, batch means first, in order, with the given names
    std::vector<Variable> accumulators;
    std::vector<SplitProblem> problems; // their formulas are left out
};

SplitFormulas split_formulas(const Graph& graph, const WholeSplitRequest& request);

} // namespace gradc
