// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known to divide each whole value of a kernel, and so how aligned an address is.
#pragma once
#include "compiler/program/program.h"

namespace gradc::target {

/// By ValueId: a number > 0 that divides the value in every turn; 0 where the value is always 0.
/// Not an i64 scalar: 1.
std::vector<int64_t> divisors(const loop::Kernel& kernel);

/// Largest power of two, at most 64, that divides the address (bytes) of `element` in an arena
/// aligned to 64.
int64_t alignment(const loop::Buffer& buffer, const loop::Affine& element, const std::vector<int64_t>& divisors);

} // namespace gradc::target
