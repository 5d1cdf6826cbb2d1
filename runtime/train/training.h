// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The training loop: blocks take turns over mini-batches, epochs end with metrics, checkpoints are
// written, and a signal, a closed pipe or a loss that is not finite ends it between two steps.
#pragma once
#include "runtime/base/console.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/history.h"
#include "runtime/train/multi_step.h"
#include <optional>

namespace gradc::runtime {

/// What a run measured of itself.
struct Measured {
    int64_t steps = 0, rows = 0;
    double seconds = 0;              // of steps and their loading; evaluation and checkpoints aside
    std::vector<EpochReport> epochs; // of the whole run, those before a resume among them
};

enum class Ending { finished, interrupted, not_finite, failed };

class Training {
public:
    /// `dataset`: of the first block, or null. Everything referred to outlives this.
    Training(Session& session, const Settings& settings, const Dataset* dataset, Console& console);

    Position position;
    Measured measured;

    /// How many rows a step takes, all rows of the split for `batch all`.
    int64_t batch() const { return batch_; }
    /// Of an epoch; 0: no data.
    int64_t rows() const { return loader_ ? loader_->rows() : 0; }
    int64_t total_steps() const { return total_; }
    /// Goes on from `position` to the end. Fault: why it failed or which loss was not finite.
    Ending run(uint64_t data_hash, const HeldSignals& signals, Error& error);
    /// A warning said that lines for standard output are lost.
    bool warned_of_loss() const { return warned_of_loss_; }
    /// Metrics of all splits but the one trained on.
    std::vector<SplitReport> evaluate();

private:
    const gradc_block& block() const { return session_.module().blocks[position.block]; }
    Clock clock_of(int32_t block) const;
    std::vector<Clock> clocks() const;
    void count_steps();
    void begin_epoch();
    bool step();
    int64_t multi_step(int64_t most);
    int64_t multi_step_length(int64_t most) const;
    int64_t steps_to_report() const;
    void advance(int64_t steps, double losses);
    bool epoch_ended() const;
    SplitReport training_report();
    bool end_epoch(uint64_t data_hash, Error& error);
    void look_at_clock(double time);
    void look_at_files();
    bool goes_on_unheard(Error& error);
    bool save(uint64_t data_hash, bool must, Error& error);
    Ending stop_at_bad_loss(uint64_t data_hash, Error& error);
    std::string first_bad_value();
    int64_t report_every() const;
    bool report_due(int64_t epoch) const;
    void show_live(double time);
    std::string where() const;

    Session& session_;
    const Settings& settings_;
    const Dataset* dataset_;
    Console& console_;
    std::optional<Loader> loader_;
    std::optional<MultiStepRunner> multi_step_;
    int64_t batch_ = 1, epoch_steps_ = 1, epochs_ = 1, total_ = 0;
    std::vector<int64_t> block_totals_;
    LossCurve curve_;
    double interval_loss_ = 0; // since the last look at the clock
    int64_t interval_steps_ = 0;
    double last_save_end_ = 0, last_save_seconds_ = 0;
    int64_t saved_step_ = -1;
    bool warned_of_loss_ = false, warned_of_change_ = false;
    double started_ = 0, last_shown_ = 0, last_asked_ = 0; // asked for signals: a system call
};

} // namespace gradc::runtime
