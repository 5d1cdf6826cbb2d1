// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Buffers and the table of steps: what a plan decides about memory and order. Every later stage keeps it.
#pragma once
#include "compiler/graph/type.h"
#include <string>
#include <vector>

namespace gradc::loop {

/// A tensor in the arena, in C order unless `panel` > 0. Buffers are aligned to 64 bytes. At least 64 bytes behind each
/// may be read and overwritten, so that the last vector of a loop may run over the end.
struct Buffer {
    std::string name; // of the model's value: "h", "mlp.linear_1.weight"
    Dtype dtype = Dtype::f32;
    Shape shape;                  // N first if it has rows
    std::vector<int64_t> strides; // elements, per axis of shape
    int64_t offset = 0;           // bytes from the arena's base
    int64_t size = 0;             // bytes for the largest batch
    enum class Role : uint8_t {
        field,
        scalar,
        variable,
        output,
        activation,
        scratch,
        constant,
        local, // of one call of one kernel: on its thread's stack, not initialized; offset behind the arena's end
    } role = Role::activation;
    /// panel = W > 0: the last two axes [K, N] are stored as [ceil(N/W)][K][W], the last panel padded with zeros.
    int64_t panel = 0;
    std::vector<double> values; // role constant: written once, when the arena is allocated
};
/// Index into the buffers of a plan or a module.
using BufferId = uint32_t;

/// One entry of a program's table.
struct Step {
    enum class Kind : uint8_t { kernel, loop_begin, loop_end, guard } kind = Kind::kernel;
    uint32_t kernel = 0;    // kernel: index into kernels
    int64_t iterations = 0; // loop_begin: how often the table up to its loop_end runs
    bool reverse = false;   // loop_begin: counter goes down from iterations - 1
    // guard: the loss is computed before this step, variables are written only after it; the runtime may stop here
};

/// A value that a program leaves in its buffer.
struct Result {
    std::string name; // "loss", "predict", "accuracy"
    BufferId buffer;
};

} // namespace gradc::loop
