// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts that all elaborations share: the parsed library, its rules and its approximations. One object serves many
// files.
#pragma once
#include "compiler/graph/math_library.h"
#include "compiler/graph/pattern.h"
#include "dsl/ast.h"
#include "dsl/source.h"

namespace gradc {

/// The parsed library. Sources are numbered from 1, after the model's.
struct Library {
    std::vector<Source> sources;                           // of dsl/std, but for math.grad
    std::vector<std::shared_ptr<const ast::Module>> trees; // of the same
    std::shared_ptr<PrimitiveTable> primitives;
    std::shared_ptr<const MathLibrary> math;
    std::vector<PatternRule> rules;
};

} // namespace gradc
