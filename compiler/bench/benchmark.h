// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `gradc bench`: engines that train the same steps in turns, their measured times and losses. Each engine is a process
// that answers the lines of runtime/commands/turns.h. gradc's own trainer goes first; the others are compared with it.
#pragma once
#include "compiler/bench/peer.h"
#include <cmath>

namespace gradc {

/// One engine, before it is started.
struct Engine {
    std::string name; // gradc, interpreter, numpy, torch, jax
    PeerStart start;
    bool trainer = false;       // built by gradc; the others are Python programs
    double compile_seconds = 0; // seconds from the model file to the linked trainer; 0 for the others
    int64_t shipped_bytes = 0;  // size of the trainer; the others report theirs
    std::string absent;         // if not empty, it is not started, for this reason
};

/// How engines are timed and compared.
struct BenchmarkRules {
    int rounds = 5, steps = 10; // timed rounds of each engine; first steps whose losses are compared
    double seconds = 0.3;       // length of a round
    double patience = 120;      // seconds to wait for an answer
    double tolerance = 1e-3;    // largest relative difference of a loss
    std::string folder;         // where the first trainer writes rows and weights; must exist
};

/// The measurements of one engine, or the reason why there are none.
struct EngineResult {
    std::string name;
    enum class State { measured, absent, failed } state = State::failed;
    std::string note;                              // if measured, the peer's version; else the reason why not
    double compile = 0, start = 0, first_step = 0; // seconds: Engine's, until it answers, of the first step
    std::vector<double> losses;                    // of the first steps
    double fastest = INFINITY;                     // seconds of the fastest step of all rounds
    double peak = 0;   // FLOP/s that the machine reached around that step; 0 for peers, which do not measure it
    double median = 0; // seconds of a step, in the median round
    std::vector<double> medians;                // seconds of a step, in each round
    int64_t peak_memory = 0, shipped_bytes = 0; // bytes
};

/// The results of all engines, and the work of one step.
struct BenchmarkResult {
    std::vector<EngineResult> engines; // in the order given, gradc first
    int64_t batch = 0;                 // rows of a step
    double flops = 0, peak = 0; // operations of a step; FLOP/s of the machine around the first engine's fastest step
    std::string isa;            // of the trainers
};

/// Starts every engine and lets it train `steps` steps from the same weights on the same rows. Those whose losses
/// differ from the first engine's are stopped. Then come the rounds, in which the engines take turns. An engine that
/// fails is stopped and gets a note; nothing throws, except that the first engine must be a trainer (InternalError).
BenchmarkResult run_benchmark(const std::vector<Engine>&, const BenchmarkRules&);

} // namespace gradc
