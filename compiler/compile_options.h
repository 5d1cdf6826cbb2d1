// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the pipeline needs to know beside the model's text; commands add what they want to their own CommandLine.
#pragma once
#include "compiler/elaborate/options.h"
#include <set>

namespace gradc {

struct CompileOptions : Options {
    std::string model;                     // path of the model file
    std::string isa = "portable";          // native portable baseline avx2 avx512
    std::set<std::string> disabled_passes; // of the optimizer
    std::string dump_dir;                  // where the graph after every pass is written; "": nowhere
    bool color = false;                    // of warnings and errors
    bool fuse = true;                      // false: each operation is a kernel of its own
    bool share = true;                     // false: each kernel is a function of its own
};

} // namespace gradc
