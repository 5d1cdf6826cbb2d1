// The thin end: words in, exit code out. Everything else is the library behind pipeline.h.
#include "compiler/commands.h"
#include "compiler/options.h"
#include "compiler/util/check.h"
#include <cstdio>
#include <new>

int main(int argc, char** argv) {
    using namespace gradc;
    try {
        ParsedCommandLine parsed = parse_command_line(argc, argv);
        if (!parsed.command_line) {
            std::fputs(parsed.text.c_str(), parsed.code == exit_code::done ? stdout : stderr);
            return parsed.code;
        }
        return run_command(*parsed.command_line);
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
