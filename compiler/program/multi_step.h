// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Training steps that are so small that calling their kernels costs more than their work. Many of them run in one call
// (gradc_steps in runtime/abi.h).
#pragma once
#include "compiler/program/program.h"
#include <set>

namespace gradc::loop {

/// Sets Program::multi_step of each program that has a guard and whose unrolled kernels are short. `cleared`: names of
/// the variables that are zero at the start of an epoch.
void add_multi_step(Module& module, const std::set<std::string>& cleared);

/// A field that the program reads. Fields are in order of the module's buffers, as in gradc_program::fields.
struct MultiStepField {
    BufferId buffer = 0;
    int64_t row_bytes = 0; // rows are contiguous
    bool numbers = false;  // "#row": the number of each row
};
/// The fields that a multi-step program reads, with their places.
std::vector<MultiStepField> multi_step_fields(const Module& module, const Program& program);

/// Buffers that the program's kernels load or store.
std::set<BufferId> touched_buffers(const Program& program);

} // namespace gradc::loop
