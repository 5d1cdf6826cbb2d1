// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The numbers for baseline, AVX2 and AVX-512.
#include "compiler/program/machine.h"

namespace gradc {

Machine machine_of(loop::Isa isa) {
    Machine machine;
    machine.isa = isa;
    if (isa == loop::Isa::baseline) return machine;
    machine.fused = true;
    machine.spare = 1;
    machine.multiplications = 2;
    machine.vector_bytes = isa == loop::Isa::avx512 ? 64 : 32;
    machine.registers = isa == loop::Isa::avx512 ? 32 : 16;
    if (isa != loop::Isa::avx512) return machine;
    machine.near_bytes = 40 << 10; // of 48 KB
    machine.spread = 0.17;
    machine.far_spread = 0.25;
    machine.line = 0.2;
    machine.far_line = 0.4;
    return machine;
}

} // namespace gradc
