// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels with equal code become one function: the blocks of a deep model, and kernels that evaluation and prediction
// share with the training step. What such kernels differ in, the addresses of their buffers and their random streams,
// is handed to the function as arguments.
#pragma once
#include "compiler/program/program.h"
#include <string>

namespace gradc::loop {

/// All that code generation sees of a kernel but addresses and streams, as bytes: types and statements, buffers by
/// number in order of appearance, the dtype of each, the size of local ones, and which of them overlap. Buffers are
/// aligned alike; their strides and panels are part of the statements. Names, comments, extents and cost are left out.
std::string code_key(const Module& module, const Kernel& kernel);

/// For each machine: sets Kernel::same_as of all kernels but the first of each set with equal keys, and
/// Kernel::takes_arguments of the first. Kernels without an equal one take arguments as well: an edit elsewhere in the
/// model moves their buffers, and the code in the cache still fits. A call reads an address for each buffer, which no
/// measured step shows (`./run bench compile`).
void merge_kernels(Module& module);

} // namespace gradc::loop
