// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Many steps of a tiny model in one call of generated code (gradc_steps in abi.h):
// the very bits of as many calls of the step's program, without what a call costs.
#pragma once
#include "runtime/data/loader.h"
#include "runtime/session.h"

namespace gradc::runtime {

/// Where a run stands before a stretch: steps and epochs of so many steps each.
struct MultiStepPlace {
    Clock clock;       // of the first step
    int64_t epoch = 0; // of the loader, from 0
    int64_t until_epoch = 1, epoch_steps = 1;
};

class MultiStepRunner {
public:
    /// `loader`: of the rows that are trained on, or null; it outlives this.
    MultiStepRunner(Session& session, Loader* loader) : session_(session), loader_(loader) {}

    /// True if steps of `batch` rows of this program can run so.
    bool possible(int32_t program, int64_t batch);

    double loss_sum = 0;   // of loss * rows since the epoch began; goes on from what is here
    double loss_total = 0; // of the last stretch
    /// Runs at most `count` steps, over as many epochs as they take: then every epoch is full batches. Returns
    /// how many; fewer: the next one's loss is not finite, and the loader does not stand where the run does.
    int64_t run(int32_t program, int64_t batch, int64_t count, const MultiStepPlace& place);

private:
    const int64_t* order(int64_t rows, int64_t epoch);

    Session& session_;
    Loader* loader_;
    int32_t known_ = -1; // the program that columns_ are of
    std::vector<gradc_column> columns_;
    bool found_ = false; // all of them
    std::vector<int64_t> order_;
};

} // namespace gradc::runtime
