// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lowers kernels of one kind each. All write their statements into `kernel` and set its
// extent; grain is 0 if the kernel cannot be split.
#pragma once
#include "compiler/program/values.h"

namespace gradc {

/// One kernel to lower, and where its statements go.
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
/// The open loops over the space of a kernel.
struct SpaceLoops {
    std::vector<SpaceAxis> axes; // in the space's order
    std::vector<size_t> order;   // outermost first
    int vector = -1;             // number in `axes`; -1: none
    int part = -1;               // the one that calls share out
};
/// Joins axes that are contiguous in all loads and stores of the kernel, so that vectors are full. If memory is
/// contiguous along another axis than the vector axis, that axis becomes the innermost loop.
SpaceLoops arrange_space(const KernelTask&, bool flat);
/// The space's position for the loops' indices (by number in `axes`).
Position space_position(const SpaceLoops&, const Position& indices, const Shape& space, Indices&);

/// Emit the statements of a kernel of this kind.
void lower_nest(const KernelTask&);
void lower_product(const KernelTask&);
void lower_scatter(const KernelTask&);

/// Buffers that the kernel stores to.
std::set<loop::BufferId> written_buffers(const FusedKernel&);
/// The members at one point or vector of points. All are computed (or copied) before the first is stored, so that a
/// result may overwrite an operand.
class Made {
public:
    Made(Values& values, const KernelTask& task) : values_(values), task_(task) {}
    /// In a branch (see Branches) only the members that are stored there are computed, and their operands.
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
