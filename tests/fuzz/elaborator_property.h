// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The property of the elaborator for any bytes: valid graphs, or diagnostics with places inside of the text. No file is
// read, and the limits are low, so that every input is fast.
#pragma once
#include "compiler/training/job.h"
#include <string>
#include <string_view>

namespace gradc {

/// Empty if the property holds for `text`, else the violation. For many texts, pass the library, loaded once.
std::string broken_elaborator_property(std::string_view text, std::shared_ptr<const Library> library = nullptr);

} // namespace gradc
