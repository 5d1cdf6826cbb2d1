// What lowering has to know of a machine: vectors, registers, how fast it multiplies and loads. Plans do not
// depend on it. One description serves all processors that run the instruction set.
#pragma once
#include "compiler/program/program.h"

namespace gradc {

struct Machine {
    loop::Isa isa = loop::Isa::baseline;
    int vector_bytes = 16;
    int registers = 16; // of vectors
    bool fused = false; // has fused multiply-add; without it, products are rounded before they are added
    int spare = 2;      // registers that a product's inner loop needs beside accumulators and vector operands
    double multiplications = 1; // of vectors, each with its addition, in a cycle
    double loads = 2;           // of vectors or spread scalars, in a cycle
    double latency = 8;         // cycles until a multiply-add's sum can be added to
    double spread = 0.25;       // cycles of spreading a scalar that nothing hides
    double line = 0.3;          // cycles of loading a line of vectors that nothing hides

    int lanes(Element element) const { return vector_bytes / int(bytes(element)); }
};

Machine machine_of(loop::Isa isa);

} // namespace gradc
