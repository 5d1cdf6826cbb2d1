// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Known divisors of the integers of a kernel, and from them the alignment of addresses.
#pragma once
#include "compiler/program/program.h"

namespace gradc::target {

/// By ValueId: a number > 0 that divides the value in every iteration; 0 where the value is always 0; 1 for values that
/// are no i64 scalars.
std::vector<int64_t> divisors(const loop::Kernel& kernel);

/// Largest power of two, at most 64, that divides the address (bytes) of `element` in an arena
/// aligned to 64.
int64_t alignment(const loop::Buffer& buffer, const loop::Affine& element, const std::vector<int64_t>& divisors);

} // namespace gradc::target
