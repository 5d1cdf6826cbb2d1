// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which training steps are so small that a call would cost more than its work, and what such a step needs to run many
// times in one call (gradc_steps in runtime/abi.h).
#pragma once
#include "compiler/program/program.h"
#include <set>

namespace gradc::loop {

/// Gives a stretch to each program that is worth it: it has a guard, and its kernels, written out turn by turn, are
/// short. `cleared`: names of the variables that are zero where an epoch begins.
void add_multi_step(Module& module, const std::set<std::string>& cleared);

/// A field that the program reads, in order of the module's buffers: as `fields` of gradc_program.
struct MultiStepField {
    BufferId buffer = 0;
    int64_t row_bytes = 0; // rows lie one behind the other
    bool numbers = false;  // "#row": the number of each row
};
std::vector<MultiStepField> multi_step_fields(const Module& module, const Program& program);

/// Buffers that the program's kernels load or store.
std::set<BufferId> touched_buffers(const Program& program);

} // namespace gradc::loop
