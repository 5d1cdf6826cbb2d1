// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random programs from the language's grammar, most of them valid, and programs that are damaged token by token. The
// fuzzer of the elaborator mutates with them; unit tests draw them with fixed seeds.
#pragma once
#include <cstdint>
#include <string>

namespace gradc {

/// A model file: constants, functions, data, models and train blocks of small sizes.
std::string drawn_program(uint64_t seed);

/// `text` with a few of its tokens replaced, dropped, doubled or swapped, or with drawn expressions
/// and declarations put in.
std::string mutated_program(const std::string& text, uint64_t seed);

} // namespace gradc
