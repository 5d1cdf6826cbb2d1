// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The whole compiler as a chain of functions, one for each arrow:
//   path -load-> Source -parse-> ast::Module -elaborate-> graphs -optimize-> graphs -make_plan-> Plan
//        -lower-> loop::Module -print_cpp | object-> bytes -link_trainer-> trainer
#pragma once
#include "compiler/compile_options.h"
#include "compiler/plan/plan.h"
#include "compiler/program/program.h"
#include "compiler/target/metadata.h"
#include "compiler/training/job.h"
#include <functional>

namespace gradc {

using target::Metadata;

/// A model file after elaboration. It owns the texts that spans refer to.
struct Front {
    Sources sources;
    uint32_t main = 0; // number of the model file in `sources`
    Diagnostics diagnostics;
    std::optional<TrainingJob> job; // absent after errors
    double seconds = 0;             // of reading, parsing and elaborating
};

/// Reads the model and its imports through `reader`, which must outlive the call alone, and prints warnings. If `job`
/// is absent, the diagnostics have the errors; or `error` is set, because the model file cannot be read.
Front load(const CompileOptions& options, SourceReader& reader, std::string& error);

/// Every program of the trainer by name: "initial", "train.step", "train.evaluate.0", ..
struct ProgramGraphs {
    std::vector<NamedGraph> programs;
    Metadata metadata; // role of each program; data sets, blocks, flags
};
ProgramGraphs collect_programs(const TrainingJob& job, const CompileOptions& options, const Sources& sources);

/// Seconds by name, in order of running.
struct StageTimes {
    std::vector<std::pair<std::string, double>> stages; // for --time
    std::vector<std::pair<std::string, double>> passes; // "PROGRAM PASS" of "optimize", for --time-passes
    std::string code;                                   // of "object": how many functions were compiled
};

/// Optimizes every graph in place and adds the times. `batch` is the largest number of rows that a program will run on;
/// 0: `largest_batch` of the job. Throws MachineError if `dump_dir` cannot be written.
void optimize_programs(std::vector<NamedGraph>& programs, const TrainingJob&, const CompileOptions&, StageTimes&,
                       int64_t batch = 0);

/// The instruction sets of `--isa`, in ascending order; a name that it does not know means `portable`.
std::vector<loop::Isa> isas(const std::string& choice);

/// The input of the backends (target/compile.h).
struct Compiled {
    Plan plan;
    loop::Module module;
    Metadata metadata;
};
struct CodeOptions {
    bool fuse = true, share = true; // as in CompileOptions
    int64_t batch = 0;              // most rows; 0: `largest_batch`
    int64_t memory = 0;             // as in CompileOptions
};
/// Plans the programs together, lowers them to loops and fills in the metadata's tables. Throws MachineError where
/// `memory` is too little.
Compiled lower_programs(std::vector<NamedGraph> programs, Metadata metadata, const TrainingJob&,
                        const std::vector<loop::Isa>& isas, StageTimes&, const CodeOptions& = {});
/// collect_programs, optimize_programs and lower_programs.
Compiled compile(const TrainingJob&, const CompileOptions&, const Sources&, StageTimes&);

/// What a program computes once more so that its memory fits.
struct Recomputed {
    int kernels = 0;             // calls in its table
    double flops = 0, share = 0; // multiplications and additions; as a share of all others
};
Recomputed recomputed(const Compiled&, size_t program);

/// A hash of the model and its imports, without the library.
std::string source_hash(const Sources& sources);

} // namespace gradc
