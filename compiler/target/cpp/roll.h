// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tile of a product as people write it. The loop IR has each accumulator as a value of its own and each statement
// as often as there are accumulators; here they become an array and loops over its rows and vectors:
//     f32x16 sum[6][4] = {};
//     for k: for r: for v: sum[r][v] = fma(image[row + r, k], weight[k, v], sum[r][v])
// Compilers unroll these loops and keep the array in registers. Results are the same bit by bit: statements are only
// renamed, and keep their order where memory is written.
#pragma once
#include "compiler/program/program.h"
#include <set>

namespace gradc::target {

/// Stands as a buffer in the rolled kernel: number `buffers of the module` + its index. A prefetch of it declares it.
struct Accumulators {
    loop::ValueType type;
    int rows = 1, vectors = 1;
    bool zero = false;     // at its declaration
    bool has_rows = false; // an axis for rows, even if it is one
};

struct RolledKernel {
    loop::Kernel kernel;
    std::vector<Accumulators> arrays;
    std::set<loop::ValueId> unrolled; // indices of loops over the rows and vectors of a tile
};

RolledKernel roll(const loop::Module& module, const loop::Kernel& kernel);

} // namespace gradc::target
