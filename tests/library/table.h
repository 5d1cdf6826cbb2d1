// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of docs/reference/library.md: one line for each function, with its formula, source, kinks, domain and
// largest error.
#pragma once
#include "tests/library/entries.h"
#include "tests/library/proof.h"

namespace gradc::library {

std::string table_of(const std::vector<Entry>&, const Findings&);

/// Adds an error for each line that is missing, superfluous or different in the README; numbers of
/// errors may differ.
void compare_with_readme(const std::string& path, const std::string& table, Findings&);

/// Replaces the text after the README's line `<!-- table -->` by the table.
void write_readme(const std::string& path, const std::string& table, Findings&);

} // namespace gradc::library
