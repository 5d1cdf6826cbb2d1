// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Options of the pipeline. A command keeps its other options in its CommandLine.
#pragma once
#include "compiler/elaborate/options.h"
#include <set>

namespace gradc {

struct CompileOptions : Options {
    std::string model;                     // path of the model file
    std::string isa = "portable";          // native, portable, baseline, avx2 or avx512
    std::set<std::string> disabled_passes; // names of `pass_table` (optimize/optimize.h)
    std::string dump_dir;                  // folder for the graph after each pass; "": not written
    bool color = false;                    // colored diagnostics
    bool fuse = true;                      // false: each operation is a kernel of its own
    bool share = true;                     // false: each kernel is a function of its own
    bool keep_denormals = false;           // false: f32 steps take them as zero
    int64_t memory = 0;                    // most bytes of a trainer's arena; 0: as many as it takes
};

} // namespace gradc
