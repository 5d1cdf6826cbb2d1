// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line of gradc as a value. parse_command_line knows every flag and its help; nothing else does.
#pragma once
#include "compiler/compile_options.h"
#include <optional>

namespace gradc {

/// The exit codes of gradc and of every trainer.
namespace exit_code {
inline constexpr int done = 0, input = 1, usage = 2, nan = 3, internal = 70, interrupted = 130;
}

enum class Command { build, run, bench, check, grad, explain, paths, inspect, fmt };

struct CommandLine : CompileOptions {
    Command command = Command::build;
    std::string parameter;                 // explain; "": list them
    std::vector<std::string> files;        // fmt
    std::string output;                    // -o
    std::map<std::string, std::string> at; // --value NAME=VALUE
    std::string pass;                      // inspect of a .graph file: the pass to run
    std::string emit;                      // a stage
    std::string dot, svg;
    std::string html; // inspect, bench: where the page goes
    bool time_passes = false, time = false, write = false, check_only = false;
    bool cache = true;                          // build; false: --no-cache
    bool symbols = false;                       // build: keep the names of functions in the trainer
    int64_t batch = 0;                          // check; 0: as many rows as tell enough
    uint64_t seed = 1;                          // check, paths, bench
    int64_t beside = 0, steps = 0;              // paths; 0: not given
    std::vector<std::string> against;           // bench: engines
    std::string python = "python3", json;       // bench
    int threads = 1, rounds = 5;                // bench
    double seconds = 0.3, patience = 120;       // bench: of a round; until an engine answers
    std::vector<std::string> trainer_arguments; // run: what the trainer is started with
};

struct ParsedCommandLine {
    std::optional<CommandLine> command_line; // absent: print `text` and leave with `code`
    int code = exit_code::done;
    std::string text;
};
ParsedCommandLine parse_command_line(int argc, const char* const* argv);

std::string version_text();

} // namespace gradc
