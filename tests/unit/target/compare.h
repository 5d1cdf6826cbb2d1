// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs one case on a loaded module and compares element by element. Where any NaN or infinity is accepted, the case
// says so.
#pragma once
#include "compiler/target/engine.h"
#include "tests/unit/target/programs.h"

namespace gradc::loop {

void compare(target::Engine& engine, const Case& entry, Isa isa);

} // namespace gradc::loop
