// What lowering has to know of a machine: vectors, registers, tiles. Plans do not depend on it.
#pragma once
#include "compiler/program/program.h"

namespace gradc {

struct Machine {
    loop::Isa isa = loop::Isa::baseline;
    int vector_bytes = 16;
    int registers = 16; // of vectors
    bool fused = false; // has fused multiply-add; without it, products are rounded before they are added

    int lanes(Element element) const { return vector_bytes / int(bytes(element)); }
};

Machine machine_of(loop::Isa isa);

} // namespace gradc
