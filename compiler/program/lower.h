// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a plan to the loop IR: chooses loop nests, vector widths and tiles for each machine.
#pragma once
#include "compiler/graph/math_library.h"
#include "compiler/plan/plan.h"
#include "compiler/program/product/cost.h"
#include "compiler/program/program.h"
#include <set>

namespace gradc {

/// Options of lower().
struct LowerOptions {
    std::optional<ProductTile> tile = {}; // used instead of the cheapest one where it is possible; for measurements
    bool share = true;                    // false: a function for each kernel, its addresses as constants
    /// Programs whose results nothing else depends on. If there is one machine, they are lowered for it, though they run
    /// once in a while: they then share functions with the step.
    std::set<int32_t> diagnoses = {};
};

/// Lowers all programs for each of `isas`; programs that run once in a while are lowered for the baseline alone. The
/// result does not refer to `plan`. Throws InternalError for a graph that no kernel can compute.
loop::Module lower(const Plan& plan, const std::vector<loop::Isa>& isas, const MathLibrary& math,
                   const LowerOptions& options = {});

} // namespace gradc
