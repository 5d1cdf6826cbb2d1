// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parse, print, parse again, compare the trees and the texts.
#include "tests/fuzz/parser_property.h"
#include "dsl/dump.h"
#include "dsl/parser.h"
#include "dsl/print.h"

namespace gradc {

std::string broken_parser_property(std::string_view text) {
    Sources sources;
    Diagnostics diagnostics;
    ast::Module module = parse(sources, sources.add({"fuzz.grad", std::string(text)}), diagnostics);
    std::string printed = print(module); // also the tree of a text with errors
    if (diagnostics.failed()) {
        return print(diagnostics, sources).empty() ? "errors without text" : "";
    }
    ast::Module again = parse(sources, sources.add({"printed.grad", printed}), diagnostics);
    if (diagnostics.failed()) return "the printed form has errors:\n" + printed + "\n" + print(diagnostics, sources);
    if (dump(module) != dump(again))
        return "the printed form is another tree:\n" + printed + "\n" + dump(module) + "\n" + dump(again);
    if (print(again) != printed)
        return "the printed form is no fixed point:\n" + printed + "\nprints as\n" + print(again);
    return {};
}

} // namespace gradc
