// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of docs/reference/library.md: one line for each function, with its formula, source, kinks, domain and
// largest error.
#pragma once
#include "tests/library/entries.h"
#include "tests/library/proof.h"

namespace gradc::library {

std::string table_of(const std::vector<Entry>&, const Findings&);

/// Adds a fault for each line that the README lacks, has too many, or has otherwise; numbers of
/// errors may differ.
void compare_with_readme(const std::string& path, const std::string& table, Findings&);

/// Puts the table in place of what stands behind the README's line `<!-- table -->`.
void write_readme(const std::string& path, const std::string& table, Findings&);

} // namespace gradc::library
