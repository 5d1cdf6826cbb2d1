// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The invariants of the loop IR that both backends rely on. A module that violates one is an internal
// error of lowering.
#pragma once
#include "compiler/program/program.h"

namespace gradc::loop {

/// Throws InternalError unless: every value is defined once, before its uses and in a body around
/// them; operand, lane and mask types fit the operation; a loop's carried values agree in type;
/// indices, bounds and affine terms are i64 scalars; buffers lie inside the arena at multiples of
/// 64 bytes; tables are well nested and name kernels that exist; the variants of a program for
/// several machines have the same table and results; a kernel without statements fits the function
/// that it shares.
void verify(const Module& module);

} // namespace gradc::loop
