// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recursive descent over the tokens of one source. The parser recovers at ends of statements, so that one run reports
// several errors; the tree holds the parts without errors. Brackets nest at most 256 levels deep.
#pragma once
#include "dsl/ast.h"
#include "dsl/diagnostic.h"

namespace gradc {

inline constexpr int nesting_limit = 256;
inline constexpr size_t most_syntax_errors = 1000; // after them the rest of the file is skipped

/// Parses source number `source` of `sources`. Errors go to `diagnostics`; the tree holds the parts without errors.
ast::Module parse(const Sources& sources, uint32_t source, Diagnostics& diagnostics);

/// The words of the settings of a train block: data, batch, epochs, ..
const std::vector<std::string>& train_settings();

} // namespace gradc
