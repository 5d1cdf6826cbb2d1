// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// When each buffer of a program is of use, in steps of its table, and which buffers may lie in the same memory one
// after the other. From this follows the least memory that any addresses can do with: the largest sum over one step.
#pragma once
#include "compiler/plan/plan.h"

namespace gradc {

/// With room behind for a last vector that runs over.
int64_t footprint(const loop::Buffer&);

/// How a kernel touches one buffer.
struct Access {
    size_t buffer = 0;
    bool reads = false, writes = false;
    bool in_place = true; // each element is read only where the kernel computes the same element of its results
};
/// All that a kernel touches.
struct KernelAccesses {
    std::vector<Access> buffers; // ascending
    bool repeats = false;        // computes once more what an earlier kernel did
};
/// `members` are the program's stored_members.
KernelAccesses accesses_of(const ProgramPlan&, const FusedKernel&, const std::vector<bool>& members, int64_t batch);
/// Of all kernels of a program, by number.
std::vector<KernelAccesses> accesses_of(const ProgramPlan&, int64_t batch);

struct LiveRange { // steps of the table, inclusive
    int64_t first = INT64_MAX, last = -1;
    void touch(int64_t step) {
        first = std::min(first, step);
        last = std::max(last, step);
    }
    bool meets(const LiveRange& other) const { return first <= other.last && other.first <= last; }
};
/// A buffer from where it is written to its last reader before it is computed once more, or altogether.
struct Piece {
    size_t buffer = 0;
    LiveRange live_range;
};

/// Memory of a program's own: one buffer, or several of one size where each takes over from the one
/// before it, because the kernel that makes it reads the other for the last time, element for element.
struct Allocation {
    std::vector<Piece> pieces; // in order
    int64_t size = 0;          // bytes
    LiveRange live_range;
};
/// Of a table whose kernels touch this. `apart`: each buffer has a room of its own that lives from the first step to the
/// last.
std::vector<Allocation> allocations_of(const std::vector<loop::Step>& table, const std::vector<KernelAccesses>&,
                                       const std::vector<loop::Buffer>&, bool apart);

/// Sum of the rooms that live at each step of a table of so many.
std::vector<int64_t> bytes_at_steps(const std::vector<Allocation>&, size_t steps);

/// Largest sum of rooms that live at one step: no addresses need less.
int64_t largest_cut(const std::vector<Allocation>&);

/// Sum of the rooms that live across `step`: made before it and read after it.
int64_t across(const std::vector<Allocation>&, int64_t step);

} // namespace gradc
