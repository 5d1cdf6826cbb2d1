// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows of numbers as small gray images, side by side, each with an optional second image above it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gradc::runtime {

struct ImageRows {
    int64_t height = 0, width = 0; // cells of an image
    std::vector<double> values;    // image by image, row by row
};

/// Large numbers are dark; the smallest and the largest number of a list are white and black. `above`: as many images,
/// or none.
std::string draw_images(std::string_view title, const ImageRows& images, const ImageRows& above);

} // namespace gradc::runtime
