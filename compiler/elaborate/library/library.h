// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What all elaborations have in common: the library parsed, its rules and its approximations, made once for many files.
#pragma once
#include "compiler/graph/math_library.h"
#include "compiler/graph/pattern.h"
#include "dsl/ast.h"
#include "dsl/source.h"

namespace gradc {

/// Its sources are numbered from 1, behind the model's.
struct Library {
    std::vector<Source> sources;                           // of dsl/std, but for math.grad
    std::vector<std::shared_ptr<const ast::Module>> trees; // of the same
    std::shared_ptr<PrimitiveTable> primitives;
    std::shared_ptr<const MathLibrary> math;
    std::vector<PatternRule> rules;
};

} // namespace gradc
