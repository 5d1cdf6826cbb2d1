// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Many training steps as one C++ function (gradc_steps in runtime/abi.h): a loop over the kernels' functions.
#pragma once
#include "compiler/target/machine.h"
#include <map>
#include <string>

namespace gradc::target {

/// `names`: of the kernels' functions, by their number in the program, which has a multi_step.
std::string print_multi_step(const loop::Module& module, const loop::Program& program, const Machine& machine,
                             const std::vector<std::string>& names);

} // namespace gradc::target
