// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of docs/reference/library.md: one line for each function, with its signature and shapes, formula, source,
// kinks, domain and worst errors.
#pragma once
#include "tests/library/entries.h"
#include "tests/library/proof.h"

namespace gradc::library {

/// A measured error replaces the one in the file at `path` only if it is larger.
std::string table_of(const std::vector<Entry>&, const Findings&, const std::string& path);

/// Adds an error for each line that is missing in the file or not wanted there; measured errors may differ.
void compare_with_readme(const std::string& path, const std::string& table, Findings&);

/// Replaces all that follows the line `<!-- table -->` of the file by the table.
void write_readme(const std::string& path, const std::string& table, Findings&);

} // namespace gradc::library
