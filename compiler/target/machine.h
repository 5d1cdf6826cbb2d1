// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A description of each instruction set, and the ones that this processor runs.
#pragma once
#include "compiler/program/program.h"
#include <string_view>
#include <vector>

namespace gradc::target {

struct Machine {
    loop::Isa isa;
    std::string_view name;     // "avx512"
    std::string_view llvm_cpu; // target-cpu of LLVM
    std::string_view target;   // of the `target` attribute that g++ and clang++ both take; "" for baseline
    int vector_bytes;
    int registers;  // vector registers
    bool has_fma;   // baseline has none: fma there is a multiplication and an addition, each rounded
    bool has_masks; // loads and stores under a mask are instructions
    /// A product's tile of accumulators: rows x vectors, chosen so that with operands all stay in
    /// registers.
    int tile_rows, tile_vectors;

    int lanes(Dtype dtype) const { return vector_bytes / int(bytes(dtype)); }
};

const Machine& machine(loop::Isa isa);

/// True if roots of such vectors start from the processor's estimate instead of using the instruction, which keeps the
/// divider busy for longer than the multiplications take: AVX-512's 16 floats. The bits are the same.
bool estimates_roots(const Machine& machine, Dtype dtype, int lanes);
/// For vfixupimmps: what a root is for each class of argument, four bits each from
/// the lowest: quiet NaN and signalling NaN (2: quiet NaN), zero (1: itself), one
/// (0: as computed), -inf (3: NaN), +inf (5: +inf), below zero (3), above zero (0).
inline constexpr uint32_t root_cases = 0x03530122;
/// Those that this processor and its system can run, least first; baseline always.
std::vector<loop::Isa> host_isas();
bool host_has(loop::Isa isa);
/// By its name in options; false if there is none.
bool find_isa(std::string_view name, loop::Isa& isa);

} // namespace gradc::target
