// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From syntax tree to typed graphs: everything that the later stages and the trainer need to know about a model file.
// Names, dimensions, constants, whole-number ranges and call paths are resolved here and exist nowhere later.
#pragma once
#include "compiler/elaborate/options.h"
#include "compiler/spec/training.h"
#include "dsl/diagnostic.h"

namespace gradc {

/// What all elaborations have in common, for who elaborates many files: it takes longer than a small model does.
std::shared_ptr<const Library> load_library();

/// Elaborates source number `main` of `sources` together with what it uses. Returns nullopt after
/// errors.
std::optional<TrainingJob> elaborate(Sources& sources, uint32_t main, SourceReader& reader, const Options& options,
                                     Diagnostics& diagnostics);

} // namespace gradc
