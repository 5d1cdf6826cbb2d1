// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between steps the clock is read about once a millisecond; signals, display and checkpoints depend on it.
#include "runtime/train/training.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

Training::Training(Session& session, const Settings& settings, const Dataset* dataset, Console& console)
    : session_(session), settings_(settings), dataset_(dataset), console_(console), batch_(settings.batch) {
    const gradc_module& module = session.module();
    size_t blocks = size_t(module.block_count);
    position.block_steps.assign(blocks, 0);
    position.loss_sums.assign(blocks, 0);
    position.loss_rows.assign(blocks, 0);
    if (dataset) {
        loader_.emplace(module, *dataset, dataset->training_split(), row_order(module.blocks[0]), settings.seed);
        if (module.blocks[0].batch_all) batch_ = loader_->rows();
    }
    multi_step_.emplace(session, loader_ ? &*loader_ : nullptr);
    count_steps();
}

/// The length of an epoch and of the run, and the share of each block.
void Training::count_steps() {
    const gradc_module& module = session_.module();
    int64_t steps = settings_.steps;
    if (loader_) {
        epoch_steps_ = (loader_->rows() + batch_ - 1) / batch_;
        epochs_ = steps > 0 ? (steps + epoch_steps_ - 1) / epoch_steps_ : settings_.epochs;
    } else { // without data an epoch is a twentieth of the steps, or one step
        epoch_steps_ = steps > 0 ? (steps + 19) / 20 : 1;
        epochs_ = steps > 0 ? (steps + epoch_steps_ - 1) / epoch_steps_ : settings_.epochs;
    }
    total_ = steps > 0 ? steps : epochs_ * epoch_steps_;
    int64_t cycle = 0;
    for (int32_t b = 0; b < module.block_count; b++) cycle += std::max<int64_t>(1, module.blocks[b].turns);
    int64_t rest = total_ % cycle;
    for (int32_t b = 0; b < module.block_count; b++) {
        int64_t turns = std::max<int64_t>(1, module.blocks[b].turns), extra = std::min(turns, rest);
        block_totals_.push_back(total_ / cycle * turns + extra);
        rest -= extra;
    }
}

Clock Training::clock_of(int32_t block) const {
    size_t b = size_t(block);
    return {double(position.block_steps[b] + 1), double(block_totals_[b]), double(loader_ ? position.epoch + 1 : 1)};
}

std::vector<Clock> Training::clocks() const {
    std::vector<Clock> clocks;
    for (int32_t b = 0; b < session_.module().block_count; b++) clocks.push_back(clock_of(b));
    return clocks;
}

void Training::begin_epoch() {
    if (loader_) loader_->begin(position.epoch, std::min(position.cursor, loader_->rows()));
    if (position.cursor > 0) return; // the sums of a resumed epoch came with the checkpoint
    session_.clear_accumulators();
    std::fill(position.loss_sums.begin(), position.loss_sums.end(), 0);
    std::fill(position.loss_rows.begin(), position.loss_rows.end(), 0);
}

bool Training::epoch_ended() const {
    return loader_ ? position.cursor >= loader_->rows() : position.cursor >= epoch_steps_;
}

/// False if the loss was not finite; the position is then still before this step.
bool Training::step() {
    const gradc_block& now_training = block();
    int64_t rows = batch_;
    if (loader_) {
        rows = loader_->next(batch_, session_.arena());
    } else {
        number_rows(session_.module(), session_.arena(), rows);
    }
    bool guard = !settings_.nan_continue;
    if (session_.run(now_training.step, rows, clock_of(position.block), guard) == Walk::stopped) return false;
    double loss = session_.loss(now_training.step);
    if (guard && !std::isfinite(loss)) return false;
    size_t b = size_t(position.block);
    position.loss_sums[b] += loss * double(rows);
    position.loss_rows[b] += double(rows);
    position.cursor += loader_ ? rows : 1;
    measured.rows += rows;
    advance(1, loss);
    return true;
}

/// Remaining steps of this block's turn.
void Training::advance(int64_t steps, double losses) {
    position.block_steps[size_t(position.block)] += steps;
    position.step += steps;
    position.turn += steps;
    if (position.turn >= block().turns) {
        position.turn %= std::max<int64_t>(1, block().turns);
        position.block = (position.block + 1) % session_.module().block_count;
    }
    interval_loss_ += losses;
    interval_steps_ += steps;
    measured.steps += steps;
}

// ---- many steps in one call --------------------------------------------------------------------

/// Steps until the next epoch that ends with a report; 0 if each epoch must end separately.
int64_t Training::steps_to_report() const {
    bool ragged = loader_ && loader_->rows() % batch_ != 0;
    if (session_.module().block_count > 1 || ragged || settings_.reports_all()) return 0;
    int64_t epochs = epochs_ - position.epoch;
    if (!console_.quiet()) epochs = std::min(epochs, report_every() - position.epoch % report_every());
    int64_t done = position.cursor / (loader_ ? batch_ : 1);
    return epochs * epoch_steps_ - done;
}

/// Steps, at most `most`, between which nothing needs attention.
int64_t Training::multi_step_length(int64_t most) const {
    int64_t rows = loader_ ? batch_ : 1, end = loader_ ? loader_->rows() : epoch_steps_;
    int64_t until_epoch = (end - position.cursor) / rows, count = std::min(most, until_epoch);
    if (most > until_epoch) {
        int64_t until_report = std::min(most, steps_to_report());
        int64_t more = (until_report - until_epoch) / epoch_steps_;
        if (until_report > until_epoch) count += more * epoch_steps_; // up to the end of an epoch
    }
    int64_t turns = std::max<int64_t>(1, block().turns);
    if (session_.module().block_count > 1) count = std::min(count, turns - position.turn);
    if (settings_.save_every > 0) count = std::min(count, settings_.save_every - position.step % settings_.save_every);
    return std::min({count, settings_.multi_step, total_ - position.step});
}

/// The number of steps for one call; 0: the next step runs alone.
int64_t Training::multi_step(int64_t most) {
    int32_t program = block().step;
    if (settings_.nan_continue || !multi_step_->possible(program, batch_)) return 0;
    int64_t count = multi_step_length(most);
    if (count <= 0) return 0;
    int64_t rows = loader_ ? batch_ : 1, epoch_steps = epoch_steps_, before = position.cursor / rows;
    MultiStepPlace place{clock_of(position.block), position.epoch, epoch_steps - before, epoch_steps};
    size_t b = size_t(position.block);
    multi_step_->loss_sum = position.loss_sums[b];
    int64_t done = multi_step_->run(program, batch_, count, place), at = before + done;
    if (done > 0) {
        int64_t crossed = (at - 1) / epoch_steps;
        at -= crossed * epoch_steps;
        position.loss_sums[b] = multi_step_->loss_sum;
        position.loss_rows[b] = (crossed > 0 ? 0 : position.loss_rows[b]) + double(std::min(done, at) * batch_);
        position.epoch += crossed;
        position.cursor = at * rows;
        measured.rows += done * batch_;
        advance(done, multi_step_->loss_total);
    }
    if (done < count && loader_) loader_->begin(position.epoch, position.cursor);
    return done;
}

// ---- ends of epochs ----------------------------------------------------------------------------

/// The sums of the steps; if the model's metrics lack the loss, its mean over the rows.
SplitReport Training::training_report() {
    const gradc_module& module = session_.module();
    SplitReport report{dataset_ ? dataset_->splits[size_t(dataset_->training_split())].name : "train", {}};
    for (int32_t b = 0; b < module.block_count; b++) {
        const gradc_block& of = module.blocks[b];
        std::vector<MetricValue> metrics;
        if (of.training.finish >= 0 && position.loss_rows[size_t(b)] > 0) {
            session_.run(of.training.finish, 1, clock_of(b));
            metrics = read_metrics(session_, of, of.training.finish);
        }
        std::string loss_name = module.block_count > 1 ? text(of.name, ".loss") : "loss";
        bool has_loss = !metrics.empty() && metrics[0].name == loss_name;
        if (!has_loss && position.loss_rows[size_t(b)] > 0) {
            double mean = position.loss_sums[size_t(b)] / position.loss_rows[size_t(b)];
            metrics.insert(metrics.begin(), {loss_name, {}, {mean}});
        }
        for (MetricValue& metric : metrics) report.metrics.push_back(std::move(metric));
    }
    return report;
}

std::vector<SplitReport> Training::evaluate() {
    std::vector<SplitReport> reports;
    if (!dataset_) return reports;
    for (int split = 0; split < int(dataset_->splits.size()); split++) {
        if (split == dataset_->training_split()) continue;
        SplitReport report = evaluate_split(session_, *dataset_, split, clocks());
        if (!report.metrics.empty()) reports.push_back(std::move(report));
    }
    return reports;
}

int64_t Training::report_every() const { return epochs_ <= 40 ? 1 : (epochs_ + 19) / 20; }

bool Training::report_due(int64_t epoch) const {
    return epoch % report_every() == 0 || epoch == epochs_ || position.step >= total_;
}

std::string Training::where() const {
    if (!loader_) return text("step ", grouped(position.step), '/', grouped(total_));
    int64_t epoch = position.epoch + (position.cursor > 0 || position.epoch == 0 ? 1 : 0);
    return text("epoch ", padded_left(integer(epoch), int(integer(epochs_).size())), '/', epochs_);
}

// ---- checkpoints -------------------------------------------------------------------------------

/// Saving takes at most a tenth of the time, unless it is forced.
bool Training::save(uint64_t data_hash, bool must, Error& error) {
    if (settings_.checkpoint.empty() || saved_step_ == position.step) return true;
    double begin = now();
    if (!must && begin - last_save_end_ < 10 * last_save_seconds_) return true;
    Dictionaries none;
    Written written{settings_, position, measured.epochs, dataset_ ? dataset_->dictionaries : none, data_hash};
    if (!write_checkpoint(session_, written, error)) return false;
    saved_step_ = position.step;
    last_save_end_ = now();
    last_save_seconds_ = last_save_end_ - begin;
    return true;
}

// ---- a loss that is not finite -----------------------------------------------------------------

std::string Training::first_bad_value() {
    if (block().diagnose <= 0) return "";
    int32_t number = block().diagnose - 1;
    if (loader_) { // the step may have overwritten its rows
        int64_t cursor = loader_->cursor() - int64_t(loader_->batch_rows().size());
        loader_->begin(position.epoch, cursor);
        loader_->next(batch_, session_.arena());
    }
    int64_t rows = loader_ ? int64_t(loader_->batch_rows().size()) : batch_;
    session_.run(number, rows, clock_of(position.block));
    const gradc_program& program = session_.module().programs[number];
    for (int32_t r = 0; r < program.result_count; r++) {
        const gradc_tensor& tensor = session_.module().tensors[program.results[r]];
        double count = session_.scalar(tensor);
        if (count == 0) continue;
        return text("\n", tensor.name, " is the first value that is not finite (", general(count), " of its elements)");
    }
    return "";
}

Ending Training::stop_at_bad_loss(uint64_t data_hash, Error& error) {
    double loss = session_.loss(block().step);
    std::string rows;
    if (loader_) {
        const std::vector<int64_t>& numbers = loader_->batch_rows();
        rows = text(", epoch ", position.epoch + 1, ", rows");
        for (size_t i = 0; i < numbers.size() && i < 8; i++) rows += text(i == 0 ? " " : ", ", numbers[i]);
        if (numbers.size() > 8) rows += text(" and ", numbers.size() - 8, " more");
    }
    std::string message =
        text("training stopped: the loss is ", general(loss), " in step ", position.step + 1, rows, first_bad_value());
    if (!settings_.checkpoint.empty()) {
        Error disk;
        message += save(data_hash, true, disk) ? text("\n", settings_.checkpoint, " holds the weights before that step")
                                               : "\n" + disk.message;
    }
    error.set(message, stopped_by_nan);
    return Ending::not_finite;
}

// ---- the loop ----------------------------------------------------------------------------------

void Training::show_live(double time) {
    if (!console_.shows_live()) return;
    double seconds = std::max(1e-9, time - started_);
    double speed = double(measured.rows) / std::max(1e-9, measured.seconds);
    double left = seconds / double(std::max<int64_t>(1, measured.steps)) * double(total_ - position.step);
    double loss = interval_steps_ > 0 ? interval_loss_ / double(interval_steps_) : 0;
    std::string line = text(where(), "  step ", grouped(position.step), "  loss ", metric_number(loss));
    std::string tail = text("  ", grouped(int64_t(speed)), " rows/s  ", duration(left), " left");
    int room = console_.width() - 1 - columns_of(line) - columns_of(tail) - 2;
    std::string curve = curve_.drawn(std::min(room, 32));
    console_.live(text(line, curve.empty() ? "" : "  ", curve, room >= 0 ? tail : ""));
}

/// Reports the rows so far. If all rows are done, the position moves to the start of the next epoch. The checkpoint
/// then stores the report, except at the end of a run by steps within an epoch: evaluation overwrites the accumulators
/// of that epoch.
bool Training::end_epoch(uint64_t data_hash, Error& error) {
    EpochReport report{position.epoch + 1, position.step, {}};
    bool due = report_due(report.epoch), last = position.step >= total_;
    bool wanted = (due && !console_.quiet()) || last || settings_.reports_all();
    bool save_due = settings_.save_every == 0 || last, ended = epoch_ended();
    std::string line = where();
    if (wanted) report.splits.push_back(training_report());
    if (ended) position.epoch++, position.cursor = 0;
    if (!ended && save_due && !save(data_hash, last, error)) return false;
    if (wanted) {
        for (SplitReport& split : evaluate()) report.splits.push_back(std::move(split));
        for (const SplitReport& split : report.splits)
            if (std::string metrics = metrics_line(split); !metrics.empty())
                line += text("  ", split.split, ' ', metrics);
        if (due) console_.line(line);
        measured.epochs.push_back(std::move(report));
    }
    look_at_files();
    if (!ended) return true;
    session_.clear_accumulators();
    return !save_due || save(data_hash, last, error);
}

/// Warns of changes in mapped data files.
void Training::look_at_files() {
    if (!dataset_ || warned_of_change_) return;
    for (const Column& column : dataset_->columns) {
        for (const MappedEntries& each : column.mapped) {
            std::string change = each.file.change();
            if (change.empty() || warned_of_change_) continue;
            console_.clear_live();
            complain(change);
            warned_of_change_ = true;
        }
    }
}

/// A full disk at standard output ends the run only if no other file keeps its results.
bool Training::goes_on_unheard(Error& error) {
    const std::string& loss = console_.loss();
    if (loss.empty() || warned_of_loss_) return true;
    if (!settings_.keeps_results())
        return error.fail("standard output: error: ", loss, "; training stopped after step ", position.step,
                          ", because no other file keeps its results");
    complain(text("standard output: warning: ", loss, "; training continues without it"));
    return warned_of_loss_ = true;
}

/// Called after about a millisecond of steps.
void Training::look_at_clock(double time) {
    if (time - last_shown_ < 0.1) return;
    curve_.add(interval_loss_ / double(std::max<int64_t>(1, interval_steps_)));
    show_live(time);
    interval_loss_ = 0, interval_steps_ = 0, last_shown_ = time;
}

Ending Training::run(uint64_t data_hash, const HeldSignals& signals, Error& error) {
    started_ = last_save_end_ = now();
    double since = started_;
    int64_t between_looks = 1, until_look = 1;
    begin_epoch();
    while (position.step < total_) {
        int64_t done = multi_step(until_look);
        if (done == 0 && !step()) return stop_at_bad_loss(data_hash, error);
        bool ended = epoch_ended() || position.step >= total_;
        bool save_due = settings_.save_every > 0 && position.step % settings_.save_every == 0;
        until_look -= std::max<int64_t>(1, done);
        if (until_look > 0 && !ended && !save_due) continue;
        double time = now(), spent = std::max(1e-7, time - since);
        measured.seconds += time - since;
        if (until_look <= 0) { // the number of steps that take a millisecond
            between_looks = std::clamp<int64_t>(int64_t(double(between_looks) * 1e-3 / spent), 1, 2 * between_looks);
        }
        until_look = between_looks;
        look_at_clock(time);
        if (ended && !end_epoch(data_hash, error)) return Ending::failed;
        if (save_due && !save(data_hash, true, error)) return Ending::failed;
        bool asked = time - last_asked_ > 1e-3 && (last_asked_ = time, signals.arrived());
        if (asked || console_.broken()) {
            return save(data_hash, true, error) ? Ending::interrupted : Ending::failed;
        }
        if (!goes_on_unheard(error)) return Ending::failed;
        if (ended && position.step < total_) begin_epoch();
        since = now();
    }
    return save(data_hash, true, error) ? Ending::finished : Ending::failed;
}

} // namespace gradc::runtime
