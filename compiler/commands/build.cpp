// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc build: a model file in, a standalone trainer (or a stage of it) out.
#include "compiler/commands/code_cache.h"
#include "compiler/commands/commands.h"
#include "compiler/commands/trainer_cache.h"
#include "compiler/stages.h"
#include "compiler/target/compile.h"
#include "compiler/util/check.h"
#include "compiler/util/files.h"
#include "compiler/util/stopwatch.h"
#include <fmt/format.h>
#include <sys/stat.h>

namespace gradc {
namespace {

void print_times(const StageTimes& times, const CommandLine& line, double total) {
    if (line.time_passes)
        for (const auto& [pass, seconds] : times.passes) fmt::print("{:>9.3f} ms  {}\n", 1e3 * seconds, pass);
    if (!line.time && !line.time_passes) return;
    for (const auto& [stage, seconds] : times.stages) fmt::print("{:>9.3f} ms  {}\n", 1e3 * seconds, stage);
    fmt::print("{:>9.3f} ms  in all\n", 1e3 * total);
    if (!times.code.empty()) fmt::print("{}\n", times.code);
}

int cannot(const std::string& path, const std::string& reason) {
    complain("gradc: cannot write {}: {}\n", path, reason);
    return exit_code::input;
}

void refuse_without_training(const Front& front, const CommandLine& line) {
    complain("gradc: {} has no train block, so there is nothing to train\n", line.model);
    if (!front.job->circuits.empty()) complain("Try `gradc grad {}`.\n", line.model);
}

std::string megabytes(int64_t bytes) { return fmt::format("{:.2f} MB", double(bytes) / 1e6); }

} // namespace

int refuse(const Front& front, const std::string& error, const CommandLine& line) {
    std::fputs((error + print(front.diagnostics, front.sources, line.color)).c_str(), stderr);
    return exit_code::input;
}

/// The object of the module; functions that an earlier build of the model compiled are taken from the cache.
static std::string machine_code(const Compiled& compiled, const CommandLine& line, StageTimes& times) {
    Stopwatch clock;
    target::CodeCache code;
    CacheEntry entry = CacheEntry::code(line);
    bool usable = line.cache && entry.open().empty();
    if (usable) code.known = read_code(entry.take().value_or(""));
    std::string object = target::object(compiled.module, compiled.metadata, &code);
    std::string text = usable && code.compiled > 0 ? code_text(code) : "";
    if (!text.empty()) entry.keep(text); // without it the next build is only slower
    times.stages.push_back({"object", clock.seconds()});
    times.code = fmt::format("{} of {} functions compiled", code.compiled, code.functions);
    return object;
}

std::optional<std::string> make_trainer(const Front& front, const CommandLine& line, StageTimes& times) {
    if (front.job->blocks.empty()) {
        refuse_without_training(front, line);
        return {};
    }
    Compiled compiled = compile(*front.job, line, front.sources, times);
    if (!line.emit.empty()) {
        Stopwatch printing;
        std::string text = stage_named(line.emit).print({front, nullptr, &compiled});
        times.stages.push_back({line.emit, printing.seconds()});
        return text;
    }
    std::string bytes = machine_code(compiled, line, times), error;
    Stopwatch linking;
    bytes = target::link_trainer(bytes, error, {.symbols = line.symbols});
    times.stages.push_back({"link", linking.seconds()});
    if (error.empty()) return bytes;
    complain("gradc: cannot link {}: {}\n", line.model, error);
    return {};
}

/// A trainer is executable, other stages are not.
static int put(const std::string& bytes, const std::string& path, const CommandLine& line, StageTimes& times) {
    Stopwatch writing;
    if (std::string error = write_file(path, bytes, line.emit.empty()); !error.empty()) return cannot(path, error);
    times.stages.push_back({"write", writing.seconds()});
    return exit_code::done;
}

int write_trainer(const Front& front, const CommandLine& line, const std::string& path) {
    Stopwatch clock;
    StageTimes times;
    times.stages.push_back({"read and elaborate", front.seconds});
    std::optional<std::string> bytes = make_trainer(front, line, times);
    if (!bytes) return exit_code::input;
    int code = put(*bytes, path, line, times);
    if (code == exit_code::done) print_times(times, line, front.seconds + clock.seconds());
    return code;
}

/// What was built before is copied; what was not is built, and kept if that can be.
static int write_through_cache(const Front& front, const CommandLine& line, const std::string& path) {
    Stopwatch clock;
    StageTimes times;
    times.stages.push_back({"read and elaborate", front.seconds});
    CacheEntry cache = CacheEntry::trainer(front, line);
    bool usable = cache.open().empty(), found = false;
    std::optional<std::string> bytes;
    if (usable) bytes = cache.take();
    found = bytes.has_value();
    times.stages.push_back({found ? "taken from the cache" : "sought in the cache", clock.seconds()});
    if (!found) bytes = make_trainer(front, line, times);
    if (!bytes) return exit_code::input;
    if (int code = put(*bytes, path, line, times); code != exit_code::done) return code;
    Stopwatch keeping;
    if (usable && !found) {
        cache.keep(*bytes); // without it the next build is only slower
        times.stages.push_back({"kept in the cache", keeping.seconds()});
    }
    print_times(times, line, front.seconds + clock.seconds());
    return exit_code::done;
}

int build_command(const CommandLine& line) {
    std::string path = line.output.empty() ? stem_of(line.model) : line.output;
    if (line.output.empty() && !line.emit.empty()) path += stage_named(line.emit).suffix;
    FileReader reader;
    std::string error;
    Front front = load(line, reader, error);
    if (!front.job) return refuse(front, error, line);
    if (same_file(path, line.model)) return cannot(path, "it is the model file itself");
    if (error = cannot_write(path); !error.empty()) return cannot(path, error);
    bool cached = line.cache && line.emit.empty() && line.dump_dir.empty() && !line.time_passes;
    bool trains = !front.job->blocks.empty();
    int code = cached && trains ? write_through_cache(front, line, path) : write_trainer(front, line, path);
    if (code != exit_code::done || !line.emit.empty()) return code;
    struct stat status{};
    stat(path.c_str(), &status);
    fmt::print("{} ({})\n", printable(path), megabytes(status.st_size));
    return code;
}

int run_command(const CommandLine& line) {
    switch (line.command) {
    case Command::build: return build_command(line);
    case Command::run: return run_model_command(line);
    case Command::bench: return bench_command(line);
    case Command::check: return check_command(line);
    case Command::explain: return explain_command(line);
    case Command::grad: return grad_command(line);
    case Command::paths: return trajectories_command(line);
    case Command::inspect: return inspect_command(line);
    case Command::fmt: return fmt_command(line);
    }
    return exit_code::usage;
}

} // namespace gradc
