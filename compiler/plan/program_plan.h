// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Planning of one program: members, clusters, the place of every stored value, and the order of kernels.
#pragma once
#include "compiler/plan/buffers.h"
#include "compiler/plan/cluster.h"

namespace gradc {

/// A value that is read at the start and set at the end: a variable of the program, or a carry of a loop.
struct Update {
    NodeId leaf = NodeId::none; // the old value, if the program reads it
    Storage place;
    size_t writer = 0; // candidate
    int region = 0;
    bool variable = false;
};

/// A program whose kernels are chosen but not ordered.
struct Draft {
    ProgramPlan plan;
    Clustering clustering;
    std::vector<std::vector<size_t>> stages;  // by cluster: stage of each of its members
    std::vector<std::vector<Storage>> stores; // by candidate
    std::vector<std::optional<Storage>> from; // by candidate: see Member
    std::vector<bool> early;                  // by candidate: needed by the loss, which is tested before any update
    bool guarded = false;
    std::vector<Update> updates;
    std::vector<std::vector<std::pair<size_t, size_t>>> first; // by region, clusters: (must run before, this one)
    std::vector<size_t> after_guard = {};                      // clusters that wait for all that the loss needs
};

/// Decides which updates the kernel that computes them may write. The others get a copy at the end. Adds the orders
/// that updates need to `first`.
void place_updates(Draft&, Buffers&, Indices&);

/// Turns the draft into kernels and the table. `lean`: the kernel that frees most memory runs first, even if the peak
/// stays the same.
void order_kernels(Draft&, const Buffers&, bool lean);

/// Plans one program. Adds its buffers to `Buffers`; they have no addresses yet.
ProgramPlan plan_program(const NamedGraph&, Buffers&, const PlanOptions&);

/// Stores weights that products read by vectors as panels, and with them the optimizer state that is updated beside
/// them.
void lay_out_panels(Plan&);

/// Offsets of all buffers: the shared ones first, then those of each program, which use the same memory.
void assign_memory(Plan&, const PlanOptions&);

} // namespace gradc
