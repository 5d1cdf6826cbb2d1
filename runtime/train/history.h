// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reports of the epochs of a run, and their JSON. --json lists them, --curves draws them, and a checkpoint stores
// them for a resumed run.
#pragma once
#include "runtime/train/evaluation.h"

namespace gradc::runtime {

struct EpochReport {
    int64_t epoch = 0, step = 0;     // step: steps done at its end
    std::vector<SplitReport> splits; // train first
};

void write_epochs(JsonWriter& json, const std::vector<EpochReport>& epochs);
/// Reads the output of write_epochs; numbers that were not finite become NaN. False for any other text; `epochs` is
/// then empty.
bool read_epochs(std::string_view text, std::vector<EpochReport>& epochs);

} // namespace gradc::runtime
