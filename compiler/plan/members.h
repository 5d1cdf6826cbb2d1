// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which nodes of a program become members of kernels, and which are formulas inside the members that read them. For
// each member: its axes and every element that it reads.
#pragma once
#include "compiler/plan/flat.h"
#include "compiler/plan/view.h"

namespace gradc {

/// Element `at` of `node`, which is a member or a stored leaf.
struct Read {
    NodeId node;
    Position at;
};

/// A member before fusion: its node, its iteration axes and its reads.
struct Candidate {
    NodeId node;
    bool copies = false; // only reads the node and stores it elsewhere
    int region = 0;
    Position axes;      // of the node
    Position reduced;   // of a reduction
    bool along = false; // see reduces_along_vectors
    std::vector<Read> reads;
    std::vector<int> feeds = {}; // loops whose carries it sets before their first iteration
};

/// A leaf with a buffer: a field, scalar, variable, constant tensor, carry or stacked result of a loop.
bool is_stored_leaf(const Graph&, NodeId);
/// True for inputs, variables, constants and other nodes without computation.
bool is_leaf(const Graph&, NodeId);

/// Approximate number of vector operations for one element of the node, without its inputs.
double cost_of(const Graph&, NodeId);

/// By node: true for members. Without `fuse`, every node that computes or copies something is a member.
std::vector<bool> choose_members(const Flat&, int64_t batch, bool fuse);

/// True if a reduction is a stage of its own with vectors along the last reduced axis. Otherwise it is nested inside
/// the loops of its result, with vectors along the last axis of the result.
bool reduces_along_vectors(const Graph&, const std::vector<bool>& members, NodeId, int64_t batch);

/// What a node reads when it is computed (or copied) at these axes.
std::vector<Read> reads_of(const Graph&, const std::vector<bool>& members, NodeId node, bool copies,
                           const Position& axes, const Position& reduced, Indices& indices);

/// The candidate of a node, with its axes and reads.
Candidate analyse(const Flat&, const std::vector<bool>& members, NodeId node, bool copies, int region, Indices& indices,
                  int64_t batch);

} // namespace gradc
