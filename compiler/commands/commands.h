// What each command of gradc does; all return an exit code.
#pragma once
#include "compiler/commands/options.h"

namespace gradc {

struct Front;
struct StageTimes;

int run_command(const CommandLine& line);

int build_command(const CommandLine& line);
int run_model_command(const CommandLine& line);
int bench_command(const CommandLine& line);
int check_command(const CommandLine& line);
int grad_command(const CommandLine& line);
int paths_command(const CommandLine& line);
int inspect_command(const CommandLine& line);
int explain_command(const CommandLine& line);
/// What `gradc inspect --html` writes.
std::string page_text(const Front& front, const CommandLine& line);
int fmt_command(const CommandLine& line);

/// The trainer's bytes, or those of `--emit`; prints what goes wrong.
std::optional<std::string> make_trainer(const Front& front, const CommandLine& line, StageTimes& times);

/// Compiles and links the trainer to `path`; prints what goes wrong, and times if asked. Returns an exit code.
int write_trainer(const Front& front, const CommandLine& line, const std::string& path);

/// Prints a file that could not be read or the diagnostics of one that could.
int refuse(const Front& front, const std::string& fault, const CommandLine& line);

} // namespace gradc
