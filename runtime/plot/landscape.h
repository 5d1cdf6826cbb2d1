// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loss over two directions around the weights, as filled contours at round losses.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gradc::runtime {

struct LandscapeView {
    std::string title, subtitle;
    int64_t side = 0;           // points of an axis, which goes from -1 to 1
    std::vector<double> losses; // the first direction changes fastest
};

std::string draw_landscape(const LandscapeView& view);

} // namespace gradc::runtime
