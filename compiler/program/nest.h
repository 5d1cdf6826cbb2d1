// Kernels of one kind each; all write their statements into `kernel`, whose extent and grain they set.
#pragma once
#include "compiler/program/values.h"

namespace gradc {

struct KernelTask {
    const FusedKernel& plan;
    const Surroundings& around;
    loop::Kernel& kernel;
    int lanes;
};

void lower_nest(const KernelTask&);
void lower_product(const KernelTask&);
void lower_scatter(const KernelTask&);

/// Buffers that the kernel stores to.
std::set<loop::BufferId> written_buffers(const FusedKernel&);
/// Computes (or copies) a member, stores it and keeps it for those that read it.
void make_member(Values&, const KernelTask&, const Member&, const Position& at);
/// Vectors as wide as the kernel's numbers allow.
int lanes_of(const FusedKernel&, const Graph&, const Machine&);

} // namespace gradc
