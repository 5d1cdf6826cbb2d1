// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small batch and drawn weights for a graph, to check gradients at: fields from the data set where it can be read,
// else drawn within their type; variables from their initialisers, moved off special points by a little noise.
#pragma once
#include "compiler/graph/evaluate.h"
#include "compiler/spec/training.h"

namespace gradc {

/// Deterministic numbers for drawing; not the language's random op.
struct Drawing {
    uint64_t state;
    double uniform();             // [0, 1)
    double normal();              // mean 0, deviation 1
    int64_t below(int64_t bound); // 0 .. bound-1
};

struct SampleOptions {
    int64_t batch = 2;
    uint64_t seed = 1;
};

/// Values for everything that `graph` reads.
Environment sample(const TrainingJob&, const std::vector<Flag>& flags, const Graph& graph, const SampleOptions&);

/// Start values of all variables by path, as the trainer would draw them for this seed.
std::unordered_map<std::string, Tensor> initial_values(const TrainingJob&, uint64_t seed);

} // namespace gradc
