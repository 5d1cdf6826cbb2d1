// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What must hold for the parser and the printer on any bytes: no crash, errors that print, and for
// what is free of errors: the printed form reads back as the same tree and prints as itself.
#pragma once
#include <string>
#include <string_view>

namespace gradc {

/// Empty if all holds for `text`, else what does not.
std::string broken_parser_property(std::string_view text);

} // namespace gradc
