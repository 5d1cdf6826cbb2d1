// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Many steps of a tiny model in one call of generated code (gradc_steps in abi.h): the same bits as by one call for
// each step, without the cost of the calls.
#pragma once
#include "runtime/data/loader.h"
#include "runtime/session.h"

namespace gradc::runtime {

/// The position of a run before many steps, and the length of an epoch in steps.
struct MultiStepPlace {
    Clock clock;       // of the first step
    int64_t epoch = 0; // of the loader, from 0
    int64_t until_epoch = 1, epoch_steps = 1;
};

class MultiStepRunner {
public:
    /// `loader`: of the training rows, or null; it must outlive this.
    MultiStepRunner(Session& session, Loader* loader) : session_(session), loader_(loader) {}

    /// Whether steps of `batch` rows of this program can run this way.
    bool possible(int32_t program, int64_t batch);

    double loss_sum = 0;   // sum of loss * rows since the epoch began; continues from its value here
    double loss_total = 0; // sum of the losses of the last call
    /// Runs at most `count` steps. If they take several epochs, every epoch consists of full batches. Returns the
    /// number of steps done. If it is less than `count`, the loss of the next step is not finite, and the loader's
    /// position is undefined.
    int64_t run(int32_t program, int64_t batch, int64_t count, const MultiStepPlace& place);

private:
    const int64_t* order(int64_t rows, int64_t epoch);

    Session& session_;
    Loader* loader_;
    int32_t known_ = -1; // the program of columns_
    std::vector<gradc_column> columns_;
    bool found_ = false; // all columns are known
    std::vector<int64_t> order_;
};

} // namespace gradc::runtime
