// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The training loop. Blocks alternate over mini-batches, epochs end with metrics and checkpoints. A signal, a closed
// pipe or a loss that is not finite ends it between two steps.
#pragma once
#include "runtime/base/console.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/history.h"
#include "runtime/train/multi_step.h"
#include <optional>

namespace gradc::runtime {

/// The measurements of a run.
struct Measured {
    int64_t steps = 0, rows = 0;
    double seconds = 0;              // of steps and loading, without evaluation and checkpoints
    std::vector<EpochReport> epochs; // of the whole run, including those before a resume
};

enum class Ending { finished, interrupted, not_finite, failed };

class Training {
public:
    /// `dataset`: of the first block, or null. All references must outlive this.
    Training(Session& session, const Settings& settings, const Dataset* dataset, Console& console);

    Position position;
    Measured measured;

    /// The rows of a step; all rows of the split for `batch all`.
    int64_t batch() const { return batch_; }
    /// The rows of an epoch; 0: no data.
    int64_t rows() const { return loader_ ? loader_->rows() : 0; }
    int64_t total_steps() const { return total_; }
    /// Runs from `position` to the end. An error states the reason of a failure, or the loss that was not finite.
    Ending run(uint64_t data_hash, const HeldSignals& signals, Error& error);
    /// A warning said that lines for standard output are lost.
    bool warned_of_loss() const { return warned_of_loss_; }
    /// The metrics of all splits except the training split.
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
    double interval_loss_ = 0; // since the clock was last read
    int64_t interval_steps_ = 0;
    double last_save_end_ = 0, last_save_seconds_ = 0;
    int64_t saved_step_ = -1;
    bool warned_of_loss_ = false, warned_of_change_ = false;
    double started_ = 0, last_shown_ = 0, last_asked_ = 0; // last_asked_: for signals, by a system call
};

} // namespace gradc::runtime
