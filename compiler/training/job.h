// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From syntax tree to typed graphs: everything that the later stages and the trainer need from a model file. Names,
// sizes, constants, ranges of integers and call paths are resolved here; later stages do not see them.
#pragma once
#include "compiler/elaborate/options.h"
#include "compiler/spec/training.h"
#include "dsl/diagnostic.h"

namespace gradc {

/// Loads the parts that all elaborations share. Loading takes longer than elaborating a small model, so a program that
/// compiles many files should call this once.
std::shared_ptr<const Library> load_library();

/// Elaborates source number `main` of `sources` and the files that it uses. Nothing after an error; errors are added to
/// `diagnostics`. Adds the files that it reads to `sources`.
std::optional<TrainingJob> elaborate(Sources& sources, uint32_t main, SourceReader& reader, const Options& options,
                                     Diagnostics& diagnostics);

} // namespace gradc
