// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The course of a run: a panel for the loss and for each metric, a line for each split.
#pragma once
#include "runtime/train/history.h"

namespace gradc::runtime {

/// SVG; `title` stands above. Numbers that are not finite leave a gap.
std::string draw_curves(std::string_view title, const std::vector<EpochReport>& epochs);

} // namespace gradc::runtime
