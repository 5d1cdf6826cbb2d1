// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How long kernels take on one thread, roughly, and from that how many threads may share each: a
// worker costs its call and the way of its numbers from one processor's caches to the other's.
#pragma once
#include "compiler/program/values.h"

namespace gradc {

/// Estimate for the largest batch, once flops and bytes of the kernel are known.
double nanoseconds_of(const FusedKernel&, const loop::Kernel&, const Surroundings&, int lanes);

/// Sets the grain of every kernel that can be split at all (its grain is not 0) from Kernel::nanoseconds. A program with too little to share out keeps to one thread.
void set_grains(loop::Program&, int64_t batch);

} // namespace gradc
