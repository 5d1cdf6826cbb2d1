// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fusion: which members share a kernel. It starts from one kernel per member. A consumer is fused with its producer if
// each point of the shared iteration space needs only the same point of the producer, and if no third kernel has to run
// between the two.
#pragma once
#include "compiler/plan/members.h"

namespace gradc {

/// The members of one kernel.
struct Cluster {
    std::vector<size_t> members; // candidates, ascending
    int rank = 0;                // number of axes of the kernel's space
    Shape space;
    bool product = false; // contains a tiled contraction, as its first member
    bool alone = false;   // scatter: never fused
    int region = 0;
    bool late = false; // writes a variable: never fused with what the loss needs
};

/// The result of fusion. Every candidate belongs to one cluster.
struct Clustering {
    std::vector<Candidate> candidates;
    std::vector<Cluster> clusters;
    std::vector<size_t> cluster_of; // by candidate
    int64_t steps = 0;              // elementary steps of the clustering
};

/// `late` and `early` have one entry per candidate. No cluster has members of both kinds.
struct FusionOptions {
    bool fuse = true;
    int64_t batch = 1;
    std::vector<bool> late;  // by candidate: sets a variable
    std::vector<bool> early; // by candidate: the loss needs it
};

/// Fuses the candidates of all regions. A cluster never spans two regions.
Clustering cluster(const Flat&, std::vector<Candidate> candidates, const FusionOptions&);

/// By member of the cluster: the number of its stage; see plan.h.
std::vector<size_t> stages_of(const Flat&, const Clustering&, const Cluster&);
/// The axes that a member iterates over: its own, and the reduced ones if the reduction is a stage of its own.
Position iteration(const Candidate&, int rank);
/// The sizes of these axes.
Shape iteration_sizes(const Flat&, const Candidate&, int rank);

} // namespace gradc
