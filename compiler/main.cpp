// The thin end: words in, exit code out. Everything else is the library behind pipeline.h.
#include "compiler/commands/commands.h"
#include "compiler/commands/options.h"
#include "compiler/util/check.h"
#include <csignal>
#include <cstdio>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

namespace {

/// What was printed must have arrived: a full disk is an error, a reader that left early is none.
int delivered(int code) {
    if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return code;
    struct stat status;
    if (fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) return code;
    std::fprintf(stderr, "gradc: cannot write all of the output: the disk is full or the file was closed\n");
    return code == gradc::exit_code::done ? gradc::exit_code::input : code;
}

} // namespace

int main(int argc, char** argv) {
    using namespace gradc;
    std::signal(SIGPIPE, SIG_IGN);
    try {
        ParsedCommandLine parsed = parse_command_line(argc, argv);
        if (!parsed.command_line) {
            std::fputs(parsed.text.c_str(), parsed.code == exit_code::done ? stdout : stderr);
            return delivered(parsed.code);
        }
        return delivered(run_command(*parsed.command_line));
    } catch (const InternalError& error) {
        std::fprintf(stderr,
                     "gradc: internal error in %s: %s\n"
                     "This is a fault of gradc, not of your model. Please report it with the model file.\n",
                     error.pass.c_str(), error.what());
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr, "gradc: internal error: out of memory\n");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "gradc: internal error: %s\nPlease report it with the model file.\n", error.what());
    }
    return exit_code::internal;
}
