// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Short functions that read a text or a file and print the result.
#pragma once
#include "dsl/dump.h"
#include "dsl/parser.h"
#include "dsl/print.h"

namespace gradc {

struct Reading {
    Sources sources;
    Diagnostics diagnostics;
    ast::Module module;
    std::string errors() const { return print(diagnostics, sources); }
};

Reading read_text(std::string text);
Reading read_file(const std::string& path);

/// The dump of an expression, "error: .." if it has errors.
std::string tree_of_expression(const std::string& text);
/// The dump of a file without its line breaks.
std::string tree_of(const std::string& text);
/// The canonical form; "error: .." if there are errors.
std::string canonical(const std::string& text);
/// "code@line:column" of each diagnostic, parted by spaces.
std::string codes_of(const std::string& text);
/// Paths of the .grad files in a folder of the project, sorted.
std::vector<std::string> model_files(const std::string& folder);

} // namespace gradc
