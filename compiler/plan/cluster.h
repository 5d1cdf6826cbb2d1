// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fusion: which members share a kernel. Starts from one kernel a member and joins
// a reader with what it reads where each point of their common space needs only
// that point of the other, and where no way between them leads through a third.
#pragma once
#include "compiler/plan/members.h"

namespace gradc {

struct Cluster {
    std::vector<size_t> members; // candidates, ascending
    int rank = 0;                // axes of the kernel's space
    Shape space;
    bool product = false; // holds a tiled contraction, which stands first
    bool alone = false;   // scatter: joined with nothing
    int region = 0;
    bool late = false; // writes a variable: stays apart from what the loss needs
};

struct Clustering {
    std::vector<Candidate> candidates;
    std::vector<Cluster> clusters;
    std::vector<size_t> cluster_of; // by candidate
    int64_t steps = 0;              // elementary ones that it took
};

struct FusionOptions {
    bool fuse = true;
    int64_t batch = 1;
    std::vector<bool> late;  // by candidate: sets a variable
    std::vector<bool> early; // by candidate: the loss needs it
};

Clustering cluster(const Flat&, std::vector<Candidate> candidates, const FusionOptions&);

/// Members in the order of stages: (stage of each member); see plan.h.
std::vector<size_t> stages_of(const Flat&, const Clustering&, const Cluster&);
/// The iteration of a member: its axes, and those it reduces if that is a stage.
Position iteration(const Candidate&, int rank);
Shape iteration_sizes(const Flat&, const Candidate&, int rank);

} // namespace gradc
