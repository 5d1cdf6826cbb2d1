// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The whole compiler as a chain of functions, one arrow each:
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

/// A model file read, parsed and elaborated, with what diagnostics need.
struct Front {
    Sources sources;
    uint32_t main = 0;
    Diagnostics diagnostics;
    std::optional<TrainingJob> job; // absent after errors
    double seconds = 0;             // that all this took
};

/// Never fails silently: where `elaborated` is absent there are diagnostics, or `fault` tells why there is no text.
Front load(const CompileOptions& options, SourceReader& reader, std::string& error);

/// Every program of the trainer by name: "initial", "train.step", "train.evaluate.0", ..
struct ProgramGraphs {
    std::vector<NamedGraph> programs;
    Metadata metadata; // which program is what; datasets, blocks, flags
};
ProgramGraphs collect_programs(const TrainingJob& job, const CompileOptions& options, const Sources& sources);

struct StageTimes {                                     // seconds, in order
    std::vector<std::pair<std::string, double>> stages; // for --time
    std::vector<std::pair<std::string, double>> passes; // of "optimize", for --time-passes
    std::string code;                                   // of "object": how many functions were compiled
};

/// Optimizes every graph in place as the options says. `batch` is the most rows that a program will be run on;
/// 0: `largest_batch`.
void optimize_programs(std::vector<NamedGraph>& programs, const TrainingJob&, const CompileOptions&, StageTimes&,
                       int64_t batch = 0);

/// The machines that `--isa` names.
std::vector<loop::Isa> isas(const std::string& choice);

/// All that a backend needs.
struct Compiled {
    Plan plan;
    loop::Module module;
    Metadata metadata;
};
struct CodeOptions {
    bool fuse = true, share = true; // as in CompileOptions
    int64_t batch = 0;              // most rows; 0: `largest_batch`
};
Compiled lower_programs(std::vector<NamedGraph> programs, Metadata metadata, const TrainingJob&,
                        const std::vector<loop::Isa>& isas, StageTimes&, const CodeOptions& = {});
Compiled compile(const TrainingJob&, const CompileOptions&, const Sources&, StageTimes&);

std::string source_hash(const Sources& sources);

} // namespace gradc
