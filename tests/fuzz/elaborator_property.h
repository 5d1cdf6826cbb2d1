// What must hold for the elaborator on any bytes: graphs that verify, or diagnostics with places
// inside of the text. No file is read, and the limits are low, so that no input takes long.
#pragma once
#include <string>
#include <string_view>

namespace gradc {

/// Empty if all holds for `text`, else what does not.
std::string broken_elaborator_property(std::string_view text);

} // namespace gradc
