// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Properties of a machine that lowering needs: vectors, registers, rates of multiplications and loads. Plans do not
// depend on them. One description serves all processors with the instruction set.
#pragma once
#include "compiler/program/program.h"

namespace gradc {

/// Properties of an instruction set that tiles depend on. Sizes are bytes, times are cycles.
struct Machine {
    loop::Isa isa = loop::Isa::baseline;
    int vector_bytes = 16;
    int registers = 16;         // of vectors
    bool fused = false;         // has fused multiply-add; without it, products are rounded before they are added
    int spare = 2;              // registers that a product's inner loop needs beside accumulators and vector operands
    double multiplications = 1; // of vectors, each with its addition, in a cycle
    double loads = 2;           // of vectors or spread scalars, in a cycle
    double latency = 5;         // cycles between multiply-adds into one sum; one more than makers state, as measured
    int64_t near_bytes = 32 << 10; // of operands that the first cache holds
    int64_t far_bytes = 512 << 10; // of one operand that the second cache holds
    // Cycles that nothing hides: of spreading a scalar; of one that lies in another row each step; of a line of vectors
    // from the first cache, and from the second.
    double spread = 0.03, far_spread = 0.1, line = 0.1, far_line = 0.2;

    int lanes(Dtype dtype) const { return vector_bytes / int(bytes(dtype)); }
};

/// The properties of this instruction set.
Machine machine_of(loop::Isa isa);

} // namespace gradc
