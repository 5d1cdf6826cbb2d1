// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The speed of this CPU's multiply-adds: a loop of independent ones in registers, sampled between the steps that are
// timed. A core's clock follows what it runs and what its neighbours run (on a Sapphire Rapids from 3.4 GHz for
// multiply-adds alone to 2.9 GHz for those of a matrix product), so a step is compared with the rate of its own moment
// only.
#pragma once
#include "runtime/base/threads.h"
#include <cstdint>
#include <vector>

namespace gradc::runtime {

/// Floating-point operations a second of all threads at once, each with a loop of its own, in about 0.05 ms; `isa` as
/// in gradc_isa, `is_double` for f64, `pool` null for one thread.
double measure_peak(int isa, bool is_double, ThreadPool* pool);

/// Times of steps, with the rate of multiply-adds around the fastest of them.
class TimesBesidePeak {
public:
    TimesBesidePeak(int isa, bool is_double, ThreadPool* pool);

    /// Seconds of a step that has just ended; samples the multiply-adds once a millisecond.
    void add(double seconds);
    /// After the last one.
    void finish();

    double fastest() const { return fastest_; }
    double median() const;
    /// Operations a second just before or just after the fastest step, whichever is higher.
    double peak() const { return peak_; }

private:
    void sample();

    int isa_;
    bool is_double_;
    ThreadPool* pool_;
    std::vector<double> times_;
    double fastest_, peak_ = 0;
    double recent_;       // the fastest since the last sample
    double rate_, taken_; // of the last sample: operations a second, and when
};

} // namespace gradc::runtime
