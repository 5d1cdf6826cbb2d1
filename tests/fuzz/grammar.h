// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs drawn from the language's grammar, most of them valid, and programs damaged token by
// token. What the fuzzer of the elaborator mutates with; unit tests draw from it with fixed seeds.
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
