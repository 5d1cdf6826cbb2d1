// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which nodes of a program are computed for themselves (members, each in some kernel), and which are
// only formulas inside the ones that read them. For each member: its axes and every place it reads.
#pragma once
#include "compiler/plan/flat.h"
#include "compiler/plan/view.h"

namespace gradc {

/// Element `at` of `node`, which is a member or a stored leaf.
struct Read {
    NodeId node;
    Position at;
};

struct Candidate {
    NodeId node;
    bool copies = false; // only reads the node and stores it elsewhere
    int region = 0;
    Position axes;      // of the node
    Position reduced;   // of a reduction
    bool along = false; // see reduces_along_vectors
    std::vector<Read> reads;
    std::vector<int> feeds = {}; // loops whose carries it sets before their first turn
};

/// A leaf with a buffer: fields, scalars, variables, constant tensors, what loops carry.
bool is_stored_leaf(const Graph&, NodeId);
bool is_leaf(const Graph&, NodeId);

/// Vector operations that one element of the node costs by itself, about.
double cost_of(const Graph&, NodeId);

/// By node: true for those that are to be members; without `fuse`, all that compute anything or move it in memory.
std::vector<bool> choose_members(const Flat&, int64_t batch, bool fuse);

/// Sums over the reduced axes of one result element run as a stage of their own, with vectors along the last reduced
/// axis; otherwise they are nested inside the result's loops, with vectors along the result's last axis.
bool reduces_along_vectors(const Graph&, const std::vector<bool>& members, NodeId, int64_t batch);

/// What a node reads when it is computed (or copied) at these axes.
std::vector<Read> reads_of(const Graph&, const std::vector<bool>& members, NodeId node, bool copies,
                           const Position& axes, const Position& reduced, Indices& indices);

/// Fills in axes and reads.
Candidate analyse(const Flat&, const std::vector<bool>& members, NodeId node, bool copies, int region, Indices& indices,
                  int64_t batch);

} // namespace gradc
