// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Many training steps as one LLVM function (gradc_steps in runtime/abi.h): the step's kernels in
// a row, their buffers as local memory, which LLVM then keeps in registers from step to step.
#pragma once
#include "compiler/target/llvm/kernel.h"

namespace gradc::target {

/// `program.multi_step` must be set.
llvm::Function* emit_multi_step(llvm::Module& target, const loop::Module& module, const loop::Program& program,
                                const Machine& machine, const std::string& symbol);

} // namespace gradc::target
