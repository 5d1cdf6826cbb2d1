// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loop IR as text, for people (`--emit=program`) and goldens: same module, same bytes. There is no
// parser for it. Kernels that share a function are printed with their own buffers.
#pragma once
#include "compiler/program/program.h"
#include <string>
#include <string_view>

namespace gradc::loop {

std::string_view name(Operation operation); // "multiply_high"
std::string_view name(Isa isa);             // "baseline", "avx2", "avx512"
/// The word of a role, as in the text: "scratch".
std::string_view name(Buffer::Role role);
std::string print(ValueType type); // "f32", "f32 x 16"

/// One kernel as text.
std::string print(const Module& module, const Kernel& kernel);
/// The buffers, and each program as compiled for `isa`. Programs without a version for it are left out.
std::string print(const Module& module, Isa isa);

} // namespace gradc::loop
