// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parses the command line, runs the command and turns every error into a message and an exit code.
#include "compiler/commands/commands.h"
#include "compiler/commands/options.h"
#include "compiler/util/check.h"
#include "dsl/diagnostic.h"
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace {

/// If a standard descriptor is closed, the next file that is opened would get its number. So /dev/null takes it, opened
/// for reading, and writes to it fail as before.
void hold_standard_descriptors() {
    for (int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (fcntl(file, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) < 0) return;
}

/// Called when printed text was lost. A full disk is an error; a reader that closed its pipe is not.
int lost(int code, const std::string& reason) {
    struct stat status;
    if (fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) return code;
    gradc::complain("gradc: cannot write the output: {}\n", reason);
    return code == gradc::exit_code::done ? gradc::exit_code::input : code;
}

int delivered(int code) {
    if (std::fflush(stdout) != 0) return lost(code, std::strerror(errno));
    return std::ferror(stdout) ? lost(code, "the disk is full or the file was closed") : code;
}

/// Errors of the system that no function handled: files, folders, printed text.
int failed(const std::system_error& error) {
    if (std::ferror(stdout)) return lost(gradc::exit_code::done, error.code().message());
    gradc::complain("gradc: {}\n", error.what());
    return gradc::exit_code::input;
}

bool colored(const gradc::ParsedCommandLine& parsed) { return parsed.command_line && parsed.command_line->color; }

} // namespace

int main(int argc, char** argv) {
    using namespace gradc;
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // beyond the limit of file sizes the write fails instead
    hold_standard_descriptors();
    ParsedCommandLine parsed;
    try {
        parsed = parse_command_line(argc, argv);
        if (!parsed.command_line) {
            std::fputs(parsed.text.c_str(), parsed.code == exit_code::done ? stdout : stderr);
            return delivered(parsed.code);
        }
        return delivered(run_command(*parsed.command_line));
    } catch (const InternalError& error) {
        std::fprintf(stderr,
                     "gradc: internal error in %s: %s\n"
                     "This is an error in gradc, not in your model. Please report it with the model file.\n",
                     error.pass.c_str(), error.what());
    } catch (const UserError& error) {
        std::fputs(print(error.diagnostic, *error.sources, colored(parsed)).c_str(), stderr);
        return exit_code::input;
    } catch (const std::system_error& error) {
        return failed(error);
    } catch (const MachineError& error) {
        complain("gradc: {}\n", error.what());
        return exit_code::input;
    } catch (const std::bad_alloc&) {
        std::fputs("gradc: out of memory\n", stderr);
        return exit_code::input;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "gradc: internal error: %s\nPlease report it with the model file.\n", error.what());
    }
    return exit_code::internal;
}
