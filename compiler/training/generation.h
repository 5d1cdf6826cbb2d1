// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The `generate` line of a train block: one step of a scan per character. What the scan carries stays in variables
// between two calls of the program, so that the cost of a character does not depend on how many were before it.
#pragma once
#include "compiler/elaborate/elaborator.h"
#include "compiler/spec/dataset.h"
#include "compiler/spec/training.h"

namespace gradc {

/// A program that reads the scalars "token" (i32, the last character), "position" (i32, from 0) and "start" (f64, 1 at
/// position 0), and results in the logits of the next character, "generate" [N, V]. It runs with one row.
struct Generation {
    std::vector<Output> outputs;   // "generate", then assigns of the carried values
    std::vector<Variable> carried; // role accumulator, without the axis N
    int64_t context = 0;           // positions before the trainer starts again; 0: any number
};

/// Elaborates `line`, a scan, in `scope`. `text`: the field of characters, or null. `path` begins the names of carried
/// variables. Nothing after an error.
std::optional<Generation> elaborate_generation(Elaborator& elaborator, const ast::Setting& line, const Field* text,
                                               const std::string& path, Scope& scope);

} // namespace gradc
