// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One program's planning: members and clusters, what is written where, and the order of it all.
#pragma once
#include "compiler/plan/buffers.h"
#include "compiler/plan/cluster.h"

namespace gradc {

/// A number that a program reads at its start and sets at its end: a variable, or what a loop carries.
struct Update {
    NodeId leaf = NodeId::none; // the old value, if the program reads it
    Storage place;
    size_t writer = 0; // candidate
    int region = 0;
    bool variable = false;
};

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

/// Decides which updates are written by the kernel that computes them; for the others adds a copy at the end. Adds
/// the orders that updates need to `first`.
void place_updates(Draft&, Buffers&, Indices&);

/// Turns the draft into kernels and the table. `lean`: what frees most memory goes first even where that does not lower
/// the most that is needed at once.
void order_kernels(Draft&, const Buffers&, bool lean);

ProgramPlan plan_program(const NamedGraph&, Buffers&, const PlanOptions&);

/// Weights that products read by vectors, and what is updated beside them, become panels.
void lay_out_panels(Plan&);

/// Offsets for all buffers: shared ones first, then each program's own over the same memory.
void assign_memory(Plan&, const PlanOptions&);

} // namespace gradc
