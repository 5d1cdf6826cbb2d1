// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels of one kind each; all write their statements into `kernel`, whose
// extent they set, with grain 0 where it cannot be split.
#pragma once
#include "compiler/program/values.h"

namespace gradc {

struct KernelTask {
    const FusedKernel& plan;
    const Surroundings& around;
    loop::Kernel& kernel;
    int lanes;
    std::vector<loop::Buffer>& locals; // of all kernels so far; their numbers follow those of the plan's buffers
};

/// An axis of the loops over a kernel's space: one of its axes, or several that follow each other, as one.
struct SpaceAxis {
    size_t first, count;
    int64_t size = 1, times = 1; // see Axis
};
struct SpaceLoops {
    std::vector<SpaceAxis> axes; // in the space's order
    std::vector<size_t> order;   // outermost first
    int vector = -1;             // number in `axes`; -1: none
    int part = -1;               // the one that calls share out
};
/// Joins axes that lie one behind the other wherever the kernel reads and writes, so that vectors are full; brings the
/// vector axis outside of one along which memory is contiguous, where it is not so along the vector axis itself.
SpaceLoops arrange_space(const KernelTask&, bool flat);
/// The space's position for the loops' indices (by number in `axes`).
Position space_position(const SpaceLoops&, const Position& indices, const Shape& space, Indices&);

void lower_nest(const KernelTask&);
void lower_product(const KernelTask&);
void lower_scatter(const KernelTask&);

/// Buffers that the kernel stores to.
std::set<loop::BufferId> written_buffers(const FusedKernel&);
/// Members of one point or vector of points: all are computed (or copied) and kept for those that read them before any
/// is stored, so that a result may lie where an operand lay.
class Made {
public:
    Made(Values& values, const KernelTask& task) : values_(values), task_(task) {}
    /// In a branch (see Branches) only what is stored there is made, and what that needs.
    void make(const Member& member, const Position& at);
    void made(const Member& member, const Position& at, loop::ValueId value);
    void store();

private:
    struct One {
        const Member* member;
        Position at;
        loop::ValueId value;
    };
    Values& values_;
    const KernelTask& task_;
    std::vector<One> all_;
};
/// The kernel of which this one repeats a part, or itself: both are to have the same vectors.
const FusedKernel& whole_of(const FusedKernel&, const ProgramPlan&);
/// Vectors as wide as the kernel's numbers allow.
int lanes_of(const FusedKernel&, const Graph&, const Machine&);

} // namespace gradc
