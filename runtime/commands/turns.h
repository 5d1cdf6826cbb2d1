// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `bench --turns`: a protocol of lines on standard input and output. Another program uses it to let trainers and other
// engines alternate on one machine with the same steps.
//
//   batches FOLDER COUNT   FOLDER/weights and FOLDER/rows as NPY files: the start, and the rows of the first COUNT
//                          steps
//   losses COUNT           that many steps on those rows; answers `losses SECONDS LOSS ..`, seconds of the first step
//   round SECONDS          steps on resident rows, as `bench`; answers `round FASTEST MEDIAN STEPS PEAK`: seconds a
//                          step; a trainer adds the rate of multiply-adds around its fastest step (peak.h)
//   machine                answers `machine ROWS FLOPS ISA`: of a step
//   end
#pragma once
#include "runtime/data/loader.h"
#include "runtime/session.h"
#include <functional>

namespace gradc::runtime {

struct StepTimes {
    double fastest = 0, median = 0, loading = 0; // seconds
    double peak = 0;                             // peak operations per second around the fastest step
    int64_t steps = 0, together = 0;             // together: steps of one call, if training runs several
};

/// The engine that alternates.
struct Turns {
    Session& session;
    const gradc_block& block;
    Loader* loader; // null: without data
    int64_t batch;
    double flops;
    std::function<StepTimes(double seconds)> measure;
};

/// Answers lines until `end` or the end of the input. False at an unknown line.
bool take_turns(const Turns& turns, Error& error);

/// Loads the rows of the next step, or numbers them if there are no data.
void fill_batch(Session& session, Loader* loader, int64_t batch);

} // namespace gradc::runtime
