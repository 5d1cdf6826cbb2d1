// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The hash that stands as `bits` in trainers and checkpoints. Trainers with equal hashes compute the same bits from
// the same flags and data, on every machine.
#pragma once
#include "compiler/graph/math_library.h"
#include "compiler/plan/plan.h"
#include "compiler/target/metadata.h"

namespace gradc {

/// Covers the optimized graphs in the order of their operations, constants and dtypes included; the definitions of the
/// functions that they call; the settings and the defaults of the flags; whether denormals are flushed, kernels fused
/// and products added in one rounding; the version of gradc, which decides the order of sums inside of a kernel. Names
/// of values, addresses, budgets of memory, widths of vectors and threads do not change bits and are left out.
std::array<std::string, loop::isa_count> bits_hashes(const std::vector<NamedGraph>& programs, const target::Metadata&,
                                                     const MathLibrary&, bool fuse, const std::vector<loop::Isa>& isas);

} // namespace gradc
