// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc fmt: the canonical form of model files, to standard output, in place, or as a check.
#include "compiler/commands/commands.h"
#include "compiler/util/files.h"
#include "dsl/diagnostic.h"
#include "dsl/modernize.h"
#include "dsl/parser.h"
#include "dsl/print.h"
#include <cstdio>
#include <fmt/format.h>

namespace gradc {
namespace {

/// The functions that a file and its imports declare; files that cannot be read declare none.
std::set<std::string> own_functions(const ast::Module& module, Sources& sources, SourceReader& reader) {
    std::set<std::string> names = declared_functions(module);
    std::set<std::string> seen;
    std::vector<ast::Module> files{module};
    for (size_t i = 0; i < files.size(); ++i) {
        const ast::Module file = files[i];
        std::string folder = folder_of(sources.all[file.source].name), reason;
        for (const ast::Item& item : file.items) {
            auto use = std::get_if<ast::Use>(&item.node);
            std::string path = use ? (use->path.starts_with('/') ? "" : folder + "/") + use->path : "";
            std::optional<std::string> text =
                use && seen.insert(path).second ? reader.read(path, reason) : std::nullopt;
            if (!text) continue;
            Diagnostics diagnostics;
            files.push_back(parse(sources, sources.add({path, std::move(*text)}), diagnostics));
            names.merge(declared_functions(files.back()));
        }
    }
    return names;
}

/// The canonical text, or nothing after the diagnostics were printed.
std::optional<std::string> formatted(const std::string& path, const CommandLine& line, std::string& original) {
    FileReader reader;
    std::string reason;
    std::optional<std::string> text = reader.read(path, reason);
    if (!text) {
        complain("gradc: cannot read {}: {}\n", path, reason);
        return {};
    }
    original = *text;
    Sources sources;
    Diagnostics diagnostics;
    uint32_t source = sources.add({path, *text});
    ast::Module module = parse(sources, source, diagnostics);
    if (!diagnostics.failed()) {
        std::string today = modernized(module, sources, own_functions(module, sources, reader));
        module = parse(sources, sources.add({path, std::move(today)}), diagnostics);
    }
    if (diagnostics.failed()) {
        std::fputs(print(diagnostics, sources, line.color).c_str(), stderr);
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
            fmt::print("{}\n", printable(path));
            code = exit_code::input;
        } else if (line.write) {
            std::string error = *text == original ? "" : write_file(path, *text);
            if (error.empty()) continue;
            complain("gradc: cannot write {}: {}\n", path, error);
            code = exit_code::input;
        } else {
            print_out(*text);
        }
    }
    return code;
}

} // namespace gradc
