// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Engines that train the same steps in turns: what each is, what was measured, and the run of it all. The lines that
// are spoken stand in runtime/commands/turns.h; gradc's own trainer goes first and is what the others are compared with.
#pragma once
#include "compiler/bench/peer.h"
#include <cmath>

namespace gradc {

struct Engine {
    std::string name; // gradc, interpreter, numpy, torch, jax
    PeerStart start;
    bool trainer = false;       // of ours; others are peers under Python
    double compile_seconds = 0; // before it was started
    int64_t shipped_bytes = 0;  // trainers; peers tell it
    std::string absent;         // why it takes no part, known beforehand
};

struct BenchmarkRules {
    int rounds = 5, steps = 10; // steps: whose losses are compared
    double seconds = 0.3;       // of a round
    double patience = 120;      // until an answer
    double tolerance = 1e-3;    // relative, of each loss
    std::string folder;         // for rows and weights
};

struct EngineResult {
    std::string name;
    enum class State { measured, absent, failed } state = State::failed;
    std::string note;                              // why it was not measured; the version of a peer that was
    double compile = 0, start = 0, first_step = 0; // seconds: before the start, until ready, of the first step
    std::vector<double> losses;
    double fastest = INFINITY; // seconds a step
    double peak = 0;           // operations a second that were possible around that step; 0: a peer does not tell
    double median = 0;
    std::vector<double> medians; // of the rounds
    int64_t peak_memory = 0, shipped_bytes = 0;
};

struct BenchmarkResult {
    std::vector<EngineResult> engines; // in the order given, gradc first
    int64_t batch = 0;
    double flops = 0, peak = 0; // of a step; a second
    std::string isa;
};

/// Each engine starts, trains `steps` steps from the same weights on the same rows and is left out if
/// its losses differ; then rounds, one engine after the other. The first engine must be a trainer.
BenchmarkResult run_benchmark(const std::vector<Engine>&, const BenchmarkRules&);

} // namespace gradc
