// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Terminal output of the trainer: lines on standard output and, on a terminal, one live line below them with the loss
// curve. A closed pipe and a full disk are remembered; they raise no signal.
#pragma once
#include "runtime/base/error.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

/// Seconds of a clock that never goes back.
double now();

/// The loss over the run so far, in few buckets of equal length.
class LossCurve {
public:
    void add(double loss);
    /// At most `columns` block characters, low ones for small losses; the scale is logarithmic if all losses are
    /// positive.
    std::string drawn(int columns) const;

private:
    static constexpr size_t most = 64;
    std::vector<double> buckets_; // means of `per_bucket_` losses each
    int64_t per_bucket_ = 1, in_last_ = 0;
    double last_sum_ = 0;
};

/// The text with line breaks at gaps of two spaces where the next word would pass `width` columns, so that each value
/// of a report stays in one piece.
std::string broken_between_values(std::string_view text, int width);

class Console {
public:
    explicit Console(bool quiet);
    ~Console() { clear_live(); }
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;

    void line(std::string_view text);
    /// Replaces the live line; does nothing without a terminal.
    void live(std::string_view text);
    void clear_live();
    bool shows_live() const { return live_descriptor_ >= 0; }
    bool quiet() const { return quiet_; }
    /// Standard output is closed.
    bool broken() const { return broken_; }
    /// The reason why lines were lost, for a message; "" if none was.
    const std::string& loss() const { return loss_; }
    int width() const;

private:
    bool quiet_, broken_ = false, live_shown_ = false;
    int live_descriptor_ = -1;
    std::string loss_;
};

/// Blocks SIGINT, SIGTERM and SIGHUP during its lifetime, for this thread and those that it starts.
class HeldSignals {
public:
    HeldSignals();
    ~HeldSignals();
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;
    bool arrived() const;
};

} // namespace gradc::runtime
