#include "compiler/program/machine.h"

namespace gradc {

Machine machine_of(loop::Isa isa) {
    Machine machine;
    machine.isa = isa;
    if (isa == loop::Isa::baseline) return machine;
    machine.fused = true;
    machine.spare = 1;
    machine.multiplications = 2;
    machine.latency = 4;
    machine.vector_bytes = isa == loop::Isa::avx512 ? 64 : 32;
    machine.registers = isa == loop::Isa::avx512 ? 32 : 16;
    return machine;
}

} // namespace gradc
