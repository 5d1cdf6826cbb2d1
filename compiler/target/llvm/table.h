// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc_module_table as LLVM constants.
#pragma once
#include "compiler/target/table.h"
#include <llvm/IR/Module.h>

namespace gradc::target {

/// Adds the table to `target`; kernels are declared there as hidden functions unless it has them.
void emit_table(llvm::Module& target, const loop::Module& module, const Table& table);

} // namespace gradc::target
