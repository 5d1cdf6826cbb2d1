// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recursive descent over the tokens of one source. Recovers at statement ends, so that one run reports several errors;
// the tree holds what could be read. Brackets nest at most 256 deep.
#pragma once
#include "dsl/ast.h"
#include "dsl/diagnostic.h"

namespace gradc {

inline constexpr int nesting_limit = 256;
inline constexpr size_t most_syntax_errors = 1000; // then the rest of the file is not read

/// Parses source number `source` of `sources`.
ast::Module parse(const Sources& sources, uint32_t source, Diagnostics& diagnostics);

/// The words that open a setting of a train block: data, batch, epochs, ..
const std::vector<std::string>& train_settings();

} // namespace gradc
