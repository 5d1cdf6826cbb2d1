// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels with the same code, as those that evaluation and prediction share with the training step: the object has one
// function for all of them.
#pragma once
#include "compiler/program/program.h"

namespace gradc::loop {

/// Sets Kernel::same_as wherever an earlier kernel for the same machine has the same statements on buffers of the same
/// place and layout. Names, comments, extents and cost may differ.
void mark_alike(Module& module);

} // namespace gradc::loop
