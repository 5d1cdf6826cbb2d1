// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The live range of each buffer of a program, in steps of its table, and which buffers may share memory in turn.
// The largest sum of sizes over one step is a lower bound of the memory.
#pragma once
#include "compiler/plan/plan.h"

namespace gradc {

/// Bytes of a buffer with the padding that the last vector of a loop may touch.
int64_t footprint(const loop::Buffer&);

/// How a kernel accesses one buffer.
struct Access {
    size_t buffer = 0;
    bool reads = false, writes = false;
    bool in_place = true; // each element is read only where the kernel computes the same element of its results
};
/// All buffers that a kernel accesses.
struct KernelAccesses {
    std::vector<Access> buffers; // ascending
    bool repeats = false;        // computes again what an earlier kernel computed
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
/// A buffer from its writer to its last reader. A buffer that is computed again has one piece per computation.
struct Piece {
    size_t buffer = 0;
    LiveRange live_range;
};

/// Memory of one program: one buffer, or several of the same size that follow each other in place. A buffer takes over
/// the memory of another if its kernel is the last reader of the other, element for element.
struct Allocation {
    std::vector<Piece> pieces; // in order
    int64_t size = 0;          // bytes
    LiveRange live_range;
};
/// The allocations of a table whose kernels have these accesses. `apart`: each buffer has an allocation of its own that
/// lives from the first step to the last.
std::vector<Allocation> allocations_of(const std::vector<loop::Step>& table, const std::vector<KernelAccesses>&,
                                       const std::vector<loop::Buffer>&, bool apart);

/// By step of a table with `steps` entries: bytes of the allocations that live then.
std::vector<int64_t> bytes_at_steps(const std::vector<Allocation>&, size_t steps);

/// The largest sum of the allocations that live at one step, in bytes: a lower bound of any packing.
int64_t largest_cut(const std::vector<Allocation>&);

/// Bytes of the allocations that are written before `step` and read after it.
int64_t across(const std::vector<Allocation>&, int64_t step);

} // namespace gradc
