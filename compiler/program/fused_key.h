// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds fused kernels that lowering would turn into equal code, before they are lowered: in a deep model nearly all
// kernels are such copies.
#pragma once
#include "compiler/plan/plan.h"

namespace gradc {

/// A key of a fused kernel: equal keys are lowered to equal code.
struct FusedKey {
    /// All that lowering sees of the kernel: its stages, the nodes it computes, where they are read and written, which
    /// of its buffers overlap. Nodes, buffers and streams are numbered in the order of their first use. Names,
    /// addresses and the streams themselves are left out. It need not find all equal kernels: merge.h does.
    std::string bytes;
    std::vector<loop::BufferId> buffers; // by number
    std::vector<uint64_t> streams;       // by number
};

/// `members`: see stored_members.
FusedKey fused_key(const FusedKernel& kernel, const Plan& plan, const ProgramPlan& program,
                   const std::vector<bool>& members);

} // namespace gradc
