// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Estimates of the time of kernels on one thread, and from them how many threads may share a kernel.
// A worker costs its call and the transfer of its operands from one processor's caches to another's.
#pragma once
#include "compiler/program/values.h"

namespace gradc {

/// Nanoseconds for the largest batch. Needs `flops` and `bytes` of the kernel.
double nanoseconds_of(const FusedKernel&, const loop::Kernel&, const Surroundings&, int lanes);

/// Sets the grain of every kernel that can be split (its grain is not 0) from Kernel::nanoseconds. A program with too
/// little to share runs on one thread.
void set_grains(loop::Program&, int64_t batch);

} // namespace gradc
