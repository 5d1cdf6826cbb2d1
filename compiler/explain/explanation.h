// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contents of `gradc explain` for one derivative: its chain, how each rewrite of the optimizer changed its
// formulas, the values that the compiled program keeps for the backward pass, and the kernels that compute it.
#pragma once
#include "compiler/explain/names.h"
#include "compiler/optimize/optimize.h"
#include "compiler/plan/plan.h"
#include "compiler/program/program.h"

namespace gradc {

/// One rewrite of a formula by a pass.
struct Rewriting {
    std::string pass;  // "sink_moves"
    std::string rule;  // the identity, for the pass that applies them; else ""
    std::string value; // whose formula: "dL/dz1"; "" inside a formula
    std::string before, after;
    int times = 1;
};

/// A forward value that is stored until the backward pass reads it.
struct KeptValue {
    std::string name;
    std::string formula;
    Type type;
    int64_t bytes = 0; // for a batch of Explanation::batch rows
};

/// A kernel of the backward pass.
struct KernelShown {
    std::string text;                // C++
    std::vector<std::string> values; // values of the derivation that it computes, in order
    std::vector<Span> spans;         // the text of the model that it computes, in order, without repetition
};

struct Explanation {
    Derivation derivation;
    std::string scalar; // "the loss of train", "product"
    Symbols symbols;
    int64_t batch = 1;
    std::vector<Rewriting> rewritings;
    std::vector<KeptValue> kept;
    std::vector<KernelShown> kernels; // those of the backward pass
};

/// Options of the compilation that is explained.
struct ExplainOptions {
    std::vector<loop::Isa> isas;
    std::set<std::string> disabled_passes;
};

/// Derives, compiles and collects the explanation of one parameter, a variable node of question.graph. Nothing if the
/// scalar does not depend on it.
std::optional<Explanation> explain(const TrainingJob&, const Question&, NodeId parameter, const ExplainOptions&);

/// The explanation as text of at most 80 columns, except the code.
std::string print(const Explanation&, const Sources&);

} // namespace gradc
