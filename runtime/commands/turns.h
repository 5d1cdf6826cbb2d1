// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `bench --turns`: a conversation in lines on standard input and output, by which another program lets trainers and
// other engines train the same steps in turns on one machine.
//
//   batches FOLDER COUNT   FOLDER/weights and FOLDER/rows as NPY files: the start, and the rows of the first COUNT
//                          steps
//   losses COUNT           that many steps on those rows; answers `losses SECONDS LOSS ..`, seconds of the first step
//   round SECONDS          steps on resident rows, as `bench`; answers `round FASTEST MEDIAN STEPS PEAK`: seconds a
//                          step; a trainer also tells the multiply-adds a second around its fastest step (peak.h)
//   machine                answers `machine ROWS FLOPS ISA`: of a step
//   end
#pragma once
#include "runtime/data/loader.h"
#include "runtime/session.h"
#include <functional>

namespace gradc::runtime {

struct StepTimes {
    double fastest = 0, median = 0, loading = 0; // seconds
    double peak = 0;                             // operations a second that were possible around the fastest step
    int64_t steps = 0, together = 0;             // together: steps of one call, if training runs them so
};

/// What takes turns.
struct Turns {
    Session& session;
    const gradc_block& block;
    Loader* loader; // null: rows are drawn
    int64_t batch;
    double flops;
    std::function<StepTimes(double seconds)> measure;
};

/// Speaks until `end` or the end of the input. False for words that it does not know.
bool take_turns(const Turns& turns, Error& error);

/// Rows of the next step, real or drawn.
void fill_batch(Session& session, Loader* loader, int64_t batch);

} // namespace gradc::runtime
