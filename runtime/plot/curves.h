// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loss and metrics by epoch: one panel for each, one line for each split.
#pragma once
#include "runtime/train/history.h"

namespace gradc::runtime {

/// SVG with `title` on top. Numbers that are not finite leave a gap.
std::string draw_curves(std::string_view title, const std::vector<EpochReport>& epochs);

} // namespace gradc::runtime
