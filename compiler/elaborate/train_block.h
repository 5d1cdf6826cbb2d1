// One train block: its settings, what its formulas see, and its graphs.
#pragma once
#include "compiler/elaborate/dataset.h"
#include "compiler/elaborate/train_flags.h"

namespace gradc {

/// The lines of a block by what they set; each at most once but for optimizers and metrics.
struct BlockLines {
    std::map<std::string, const ast::Setting*> one; // "data", "batch", "loss", ..
    std::vector<const ast::Setting*> optimizers, metrics;
};
BlockLines lines_of(const ast::Train& block, Diagnostics& diagnostics);

/// What a block inherits from the first one, with which it takes turns.
struct BlockContext {
    Definitions& definitions;
    const std::vector<DatasetPlan>& datasets;
    const TrainBlock* first = nullptr;
    int number = 0;
};

/// Nothing after an error.
std::optional<TrainBlock> elaborate_block(const BlockContext& context, const ast::Train& tree,
                                          const std::string& name);

/// Batch, epochs, steps, turns and order, as written or by default. False after an error.
bool read_settings(const BlockContext& context, const BlockLines& lines, Span block_span,
                   TrainBlock& block);

/// Fields, parameters by path, step, steps and epoch; schedules whose numbers are flags while
/// `flags` is set.
class BlockScope : public Extension {
public:
    BlockScope(const BlockContext& context, int dataset) : context_(context), dataset_(dataset) {}

    /// Binds the fields and the scalars of the run.
    void open(Elaborator& elaborator, Scope& scope) const;

    std::optional<Term> call(Elaborator&, const ast::Call&, Span, Scope&) override;
    std::optional<Term> member(Elaborator&, const ast::Member&, Span, Scope&) override;

    Flags* flags = nullptr;

private:
    const BlockContext& context_;
    int dataset_;
};

/// True if a pattern of an optimizer line means the parameter: a path, what lies under it, or with
/// `*` for any part.
bool matches(const std::string& pattern, const std::string& path);

} // namespace gradc
