// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs one program of a module: walks its table of kernels, loops and guards over an arena. Used by
// the trainer and by `gradc check` alike; it never allocates.
#pragma once
#include "runtime/abi.h"
#include "runtime/base/threads.h"

namespace gradc::runtime {

enum class Walk { finished, stopped }; // stopped: a guard saw a loss that is not finite; no variable was written

struct WalkOptions {
    int isa = GRADC_BASELINE;
    bool guard = false;           // stop at a guard when the program's first result is not finite
    bool flush_denormals = false; // on the calling thread; the pool's threads have their own setting
    ThreadPool* pool = nullptr;   // null: the calling thread does all
    double* seconds = nullptr;    // of each kernel of the program: its time is added, if asked for
};

/// `rows`: rows of this call, the N of its tensors.
Walk walk(const gradc_module& module, const gradc_program& program, unsigned char* arena, int64_t rows,
          const WalkOptions& options);

/// Copies the module's constants into a fresh, zeroed arena of module.arena_bytes, aligned to 64.
void place_constants(const gradc_module& module, unsigned char* arena);

} // namespace gradc::runtime
