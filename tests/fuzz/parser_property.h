// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The property of parser and printer for any bytes: no crash, and errors that print. If there are no errors, the
// printed form parses to the same tree and prints as itself.
#pragma once
#include <string>
#include <string_view>

namespace gradc {

/// Empty if the property holds for `text`, else the violation.
std::string broken_parser_property(std::string_view text);

} // namespace gradc
