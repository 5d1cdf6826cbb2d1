// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the epochs of a run reported, and its way into JSON and back: --json lists it, --curves
// draws it, and a checkpoint carries it, so that a resumed run tells all of its epochs.
#pragma once
#include "runtime/train/evaluation.h"

namespace gradc::runtime {

struct EpochReport {
    int64_t epoch = 0, step = 0;     // step: done when it ended
    std::vector<SplitReport> splits; // train first
};

void write_epochs(JsonWriter& json, const std::vector<EpochReport>& epochs);
/// What write_epochs wrote; numbers that were not finite come back as NaN. False: it is something
/// else, and `epochs` is empty.
bool read_epochs(std::string_view text, std::vector<EpochReport>& epochs);

} // namespace gradc::runtime
