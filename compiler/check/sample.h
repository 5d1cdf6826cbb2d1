// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small batch and weights, to check gradients at. Fields are random numbers of their type. Variables have their
// initial values, with a little noise on parameters that moves them off kinks and symmetric points. Statistics are
// random numbers from 0.5 to 1.5.
#pragma once
#include "compiler/graph/evaluate.h"
#include "compiler/spec/training.h"

namespace gradc {

/// A generator of random numbers (splitmix64), the same for the same state. It has nothing to do with the op `random`.
struct Drawing {
    uint64_t state;
    double uniform();             // in [0, 1)
    double normal();              // mean 0, standard deviation 1
    int64_t below(int64_t bound); // in 0 .. bound - 1
};

/// The size of a sample, and the seed of its random numbers.
struct SampleOptions {
    int64_t batch = 2; // rows
    uint64_t seed = 1;
};

/// Values of all inputs of `graph`, in f32 where its type is f32. The flags give the numbers of optimizers and
/// schedules.
Environment sample(const TrainingJob&, const std::vector<Flag>& flags, const Graph& graph, const SampleOptions&);

/// Initial values of all variables by path, as the trainer computes them for this seed.
std::unordered_map<std::string, Tensor> initial_values(const TrainingJob&, uint64_t seed);

} // namespace gradc
