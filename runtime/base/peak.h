// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The peak rate of multiply-adds of this CPU: a loop of independent ones in registers, sampled between the timed steps.
// The clock of a core depends on its own code and on its neighbors (on a Sapphire Rapids from 3.4 GHz for multiply-adds
// alone to 2.9 GHz for those of a matrix product), so a step is compared only with the rate at its own time.
#pragma once
#include "runtime/base/threads.h"
#include <cstdint>
#include <vector>

namespace gradc::runtime {

/// Floating-point operations per second of all threads together, each in its own loop, measured in about 0.05 ms. `isa`
/// is a gradc_isa, `is_double` selects f64, `pool` is null for one thread.
double measure_peak(int isa, bool is_double, ThreadPool* pool);

/// Times of steps, with the rate of multiply-adds around the fastest of them.
class TimesBesidePeak {
public:
    TimesBesidePeak(int isa, bool is_double, ThreadPool* pool);

    /// Adds a step that has just ended, in seconds; samples the multiply-adds once a millisecond.
    void add(double seconds);
    /// To be called after the last step.
    void finish();

    double fastest() const { return fastest_; }
    double median() const;
    /// Operations per second just before or just after the fastest step, whichever is higher.
    double peak() const { return peak_; }

private:
    void sample();

    int isa_;
    bool is_double_;
    ThreadPool* pool_;
    std::vector<double> times_;
    double fastest_, peak_ = 0;
    double recent_;       // the fastest step since the last sample
    double rate_, taken_; // of the last sample: operations per second, and its time
};

} // namespace gradc::runtime
