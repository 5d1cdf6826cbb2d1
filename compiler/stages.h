// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every stage of the compilation as text, in one table: `--emit`, its help and the golden tests walk it.
#pragma once
#include "compiler/pipeline.h"

namespace gradc {

/// How far the pipeline has to run before a stage can be printed.
enum class StageNeeds : uint8_t { text, programs, compiled };

struct StageInput {
    const Front& front;                   // elaborated
    const ProgramGraphs* shown = nullptr; // optimized; null for stages that need the text alone
    const Compiled* compiled = nullptr;   // null for stages that need less
};

struct PipelineStage {
    const char* name; // of --emit
    StageNeeds needs;
    const char* suffix; // of the file that `gradc build --emit` writes; "": it does not
    std::string (*print)(const StageInput&);
};

/// In the order of the pipeline.
const std::vector<PipelineStage>& stage_table();

/// One line for each stage: its name and "text", "programs" or "compiled".
std::string stage_list();

/// An internal error if there is none.
const PipelineStage& stage_named(const std::string& name);

/// Runs the pipeline as far as the stage needs and prints it: the trainer's programs or, of a file without train
/// blocks, its models with their gradients.
std::string stage_text(const std::string& name, const Front& front, const CompileOptions& options);

} // namespace gradc
