// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where numbers lie and in which order kernels run: what a plan decides and every later stage keeps.
#pragma once
#include "compiler/graph/type.h"
#include <string>
#include <vector>

namespace gradc::loop {

/// A tensor in the arena, in C order unless `panel` > 0. Buffers are aligned to 64 bytes and followed by at least 64
/// bytes that may be read and overwritten freely, so that a last vector may overrun.
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
        local, // of one call of one kernel: on its thread's stack, whatever is in it; offset behind the arena's end
    } role = Role::activation;
    /// panel = W > 0: the last two axes [K, N] are stored as [ceil(N/W)][K][W], the last panel padded with zeros.
    int64_t panel = 0;
    std::vector<double> values; // role constant: written once when the arena is made
};
using BufferId = uint32_t;

/// One entry of a program's table.
struct Step {
    enum class Kind : uint8_t { kernel, loop_begin, loop_end, guard } kind = Kind::kernel;
    uint32_t kernel = 0;    // kernel: index into kernels
    int64_t iterations = 0; // loop_begin: the table up to its loop_end runs so often
    bool reverse = false;   // loop_begin: counter goes down from iterations - 1
    // guard: before here the loss is known and no variable was written; the runtime may stop
};

/// A value that a program leaves in its buffer.
struct Result {
    std::string name; // "loss", "predict", "accuracy"
    BufferId buffer;
};

} // namespace gradc::loop
