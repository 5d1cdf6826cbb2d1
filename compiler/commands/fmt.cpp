// gradc fmt: canonical form of model files, to standard output, in place or as a question.
#include "compiler/commands/commands.h"
#include "compiler/util/files.h"
#include "dsl/diagnostic.h"
#include "dsl/parser.h"
#include "dsl/print.h"
#include <cstdio>
#include <fmt/format.h>

namespace gradc {
namespace {

/// The canonical text, or nothing after the diagnostics were printed.
std::optional<std::string> formatted(const std::string& path, const CommandLine& line, std::string& original) {
    FileReader reader;
    std::string reason;
    std::optional<std::string> text = reader.read(path, reason);
    if (!text) {
        fmt::print(stderr, "gradc: cannot read {}: {}\n", path, reason);
        return {};
    }
    original = *text;
    Sources sources;
    Diagnostics diagnostics;
    uint32_t source = sources.add({path, *text});
    ast::Module module = parse(sources, source, diagnostics);
    if (diagnostics.failed()) {
        fmt::print(stderr, "{}", print(diagnostics, sources, line.color));
        return {};
    }
    return print(module);
}

} // namespace

int fmt_command(const CommandLine& line) {
    int code = exit_code::done;
    for (const std::string& path : line.files) {
        std::string original;
        std::optional<std::string> text = formatted(path, line, original);
        if (!text) {
            code = exit_code::input;
        } else if (line.check_only) {
            if (*text == original) continue;
            fmt::print("{}\n", path);
            code = exit_code::input;
        } else if (line.write) {
            std::string fault = *text == original ? "" : write_file(path, *text);
            if (fault.empty()) continue;
            fmt::print(stderr, "gradc: cannot write {}: {}\n", path, fault);
            code = exit_code::input;
        } else {
            std::fwrite(text->data(), 1, text->size(), stdout);
        }
    }
    return code;
}

} // namespace gradc
