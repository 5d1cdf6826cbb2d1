// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The commands of gradc; each returns an exit code.
#pragma once
#include "compiler/commands/options.h"
#include "dsl/unicode.h"
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <system_error>

namespace gradc {

struct Front;
struct StageTimes;

template <typename Part>
std::conditional_t<std::is_convertible_v<const Part&, std::string_view>, std::string, Part>
printable_part(const Part& part) {
    constexpr size_t longest = 1000;
    if constexpr (std::is_convertible_v<const Part&, std::string_view>) return shortened(printable(part), longest);
    else return part;
}
/// Writes a line to standard error; names and paths in it may hold any bytes.
template <typename... Parts>
void complain(fmt::format_string<decltype(printable_part(std::declval<const Parts&>()))...> format,
              const Parts&... parts) {
    std::fputs(fmt::format(format, printable_part(parts)...).c_str(), stderr);
}

/// Writes to standard output, or throws the system's reason.
inline void print_out(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) < text.size())
        throw std::system_error(errno, std::generic_category());
}

int run_command(const CommandLine& line);

int build_command(const CommandLine& line);
int run_model_command(const CommandLine& line);
int bench_command(const CommandLine& line);
int check_command(const CommandLine& line);
int grad_command(const CommandLine& line);
int trajectories_command(const CommandLine& line);
int inspect_command(const CommandLine& line);
int explain_command(const CommandLine& line);
/// The page of `gradc inspect --html`.
std::string page_text(const Front& front, const CommandLine& line);
int fmt_command(const CommandLine& line);

/// The bytes of the trainer, or of `--emit`; prints errors.
std::optional<std::string> make_trainer(const Front& front, const CommandLine& line, StageTimes& times);

/// Compiles and links the trainer to `path`. Prints errors, and times if requested. Returns an exit code.
int write_trainer(const Front& front, const CommandLine& line, const std::string& path);

/// Prints the error of a file that could not be read, or the diagnostics of one that could.
int refuse(const Front& front, const std::string& error, const CommandLine& line);

} // namespace gradc
