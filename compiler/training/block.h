// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One train block: its settings, the names that its formulas know, and its graphs.
#pragma once
#include "compiler/dataset/dataset.h"
#include "compiler/training/flags.h"

namespace gradc {

/// The lines of a block by setting. Each setting occurs once, except optimizers and metrics. Pointers into the tree are
/// not owned. A repeated line is reported.
struct BlockLines {
    std::map<std::string, const ast::Setting*> one; // "data", "batch", "loss", ..
    std::vector<const ast::Setting*> optimizers, metrics;
};
BlockLines lines_of(const ast::Train& block, Diagnostics& diagnostics);

/// The definitions and data sets of a block, and the first block, whose settings later blocks share. References are not
/// owned.
struct BlockContext {
    Definitions& definitions;
    const std::vector<DatasetPlan>& datasets;
    const TrainBlock* first = nullptr;
    int number = 0;
};

/// Elaborates a block called `name` for training, evaluation and prediction. Nothing after an error.
std::optional<TrainBlock> elaborate_block(const BlockContext& context, const ast::Train& tree, const std::string& name);

/// Reads data, order, batch (rows), epochs, steps and turns into `block`, as written or by default. False after an
/// error.
bool read_settings(const BlockContext& context, const BlockLines& lines, Span block_span, TrainBlock& block);

/// Names of a train block: fields, parameters by path, step, steps and epoch. While `flags` is set, numbers of
/// schedules become flags.
class BlockScope : public Extension {
public:
    BlockScope(const BlockContext& context, int dataset) : context_(context), dataset_(dataset) {}

    /// Binds the fields and the scalars of the run. Fields that are generated from the row number are inputs: the
    /// trainer computes them once, in `columns`, before the first step. If `predicting`, all generated floating fields
    /// are inputs: rows to predict bring them.
    void open(Elaborator& elaborator, Scope& scope, bool predicting) const;

    std::optional<Term> call(Elaborator&, const ast::Call&, Span, Scope&) override;
    std::optional<Term> member(Elaborator&, const ast::Member&, Span, Scope&) override;

    Flags* flags = nullptr;

private:
    const BlockContext& context_;
    int dataset_;
};

} // namespace gradc
