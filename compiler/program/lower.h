// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a plan to the loop IR, for each machine: loop nests, vectors, tiles.
#pragma once
#include "compiler/graph/math_library.h"
#include "compiler/plan/plan.h"
#include "compiler/program/product/cost.h"
#include "compiler/program/program.h"

namespace gradc {

struct LowerOptions {
    std::optional<ProductTile> tile = {}; // instead of the cheapest, where it is possible: to compare with
    bool share = true;                    // false: a function for each kernel, its addresses as constants
};

loop::Module lower(const Plan& plan, const std::vector<loop::Isa>& isas, const MathLibrary& math,
                   const LowerOptions& options = {});

} // namespace gradc
