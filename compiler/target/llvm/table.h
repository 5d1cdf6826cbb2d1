// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc_module_table as LLVM constants.
#pragma once
#include "compiler/target/table.h"
#include <llvm/IR/Module.h>
#include <map>

namespace gradc::target {

/// Names of functions in an object; a kernel without one has its `symbol`.
using FunctionNames = std::map<std::pair<loop::Isa, loop::KernelNumber>, std::string>;

/// Adds the table to `target`; kernels are declared there as hidden functions unless it has them.
void emit_table(llvm::Module& target, const loop::Module& module, const Table& table, const FunctionNames& names);

} // namespace gradc::target
