// Recursive descent over the tokens of one source. Recovers at statement ends, so that one run reports several
// errors; the tree holds what could be read. Brackets nest at most 256 deep.
#pragma once
#include "dsl/ast.h"
#include "dsl/diagnostic.h"

namespace gradc {

inline constexpr int nesting_limit = 256;

/// Parses source number `source` of `sources`.
ast::Module parse(const Sources& sources, uint32_t source, Diagnostics& diagnostics);

} // namespace gradc
