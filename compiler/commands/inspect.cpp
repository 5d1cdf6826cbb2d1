// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc inspect: any stage of the compilation as text.
#include "compiler/commands/commands.h"
#include "compiler/elaborate/library/library.h"
#include "compiler/graph/print.h"
#include "compiler/optimize/optimize.h"
#include "compiler/stages.h"
#include "compiler/training/job.h"
#include "compiler/util/files.h"
#include <fmt/format.h>

namespace gradc {
namespace {

int write_out(const std::string& text, const CommandLine& line) {
    if (line.output.empty()) {
        print_out(text);
        return exit_code::done;
    }
    std::string error =
        same_file(line.output, line.model) ? "it is the model file itself" : write_file(line.output, text);
    if (error.empty()) return exit_code::done;
    complain("gradc inspect: cannot write {}: {}\n", line.output, error);
    return exit_code::input;
}

/// Reads a graph as `--emit=graph` prints it, runs the pass of `--pass` over it if given, and prints it.
int inspect_graph(const CommandLine& line, SourceReader& reader) {
    auto refused = [&](const std::string& reason) {
        complain("gradc inspect: cannot read {}: {}\n", line.model, reason);
        return exit_code::input;
    };
    std::string reason;
    auto text = reader.read(line.model, reason);
    if (!text) return refused(reason);
    auto library = load_library();
    auto graph = parse_graph(*text, library->primitives, reason);
    if (!graph) return refused(reason);
    PassContext context;
    context.rules = &library->rules;
    for (const Pass& pass : pass_table())
        if (line.pass == pass.name) *graph = run_pass(pass, *graph, context);
    return write_out(print(*graph), line);
}

} // namespace

int inspect_command(const CommandLine& given) {
    CommandLine line = given;
    if (line.emit == "list") return write_out(stage_list(), line);
    if (line.emit.empty()) line.emit = "graph";
    FileReader reader;
    if (line.model.ends_with(".graph")) return inspect_graph(line, reader);
    std::string error;
    Front front = load(line, reader, error);
    if (!front.job) return refuse(front, error, line);
    if (!line.html.empty()) {
        line.output = line.html;
        return write_out(page_text(front, line), line);
    }
    return write_out(stage_text(line.emit, front, line), line);
}

} // namespace gradc
