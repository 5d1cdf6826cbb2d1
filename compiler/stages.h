// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every stage of the pipeline as text, in one table. `--emit` and its help read the table.
#pragma once
#include "compiler/pipeline.h"

namespace gradc {

/// How far the pipeline has to run before a stage can be printed.
enum class StageNeeds : uint8_t {
    text,     // load
    programs, // and optimize_programs
    compiled  // and lower_programs
};

/// Results of the pipeline so far, not owned.
struct StageInput {
    const Front& front;                   // with a job
    const ProgramGraphs* shown = nullptr; // optimized; null if the stage needs `text`
    const Compiled* compiled = nullptr;   // null if the stage does not need `compiled`
};

struct PipelineStage {
    const char* name; // of --emit
    StageNeeds needs;
    const char* suffix; // of the file that `gradc build --emit` writes; "": `build` does not have this stage
    std::string (*print)(const StageInput&);
};

/// In the order of the pipeline.
const std::vector<PipelineStage>& stage_table();

/// One line for each stage: its name and "text", "programs" or "compiled".
std::string stage_list();

/// Throws InternalError if there is none.
const PipelineStage& stage_named(const std::string& name);

/// Runs the pipeline as far as the stage needs and prints the trainer's programs; if the file has no train blocks, its
/// models with their gradients. The stage `object` gives bytes.
std::string stage_text(const std::string& name, const Front& front, const CompileOptions& options);

} // namespace gradc
