// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mkdtemp in TMPDIR or the system's default.
#include "compiler/util/temporary_folder.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>

namespace gradc {

TemporaryFolder::TemporaryFolder(std::string& error) {
    error.clear();
    std::error_code none;
    std::filesystem::path parent = std::filesystem::temp_directory_path(none);
    if (none) {
        error = fmt::format("no folder for temporary files: {}", none.message());
        return;
    }
    path_ = (parent / "gradc.XXXXXX").string();
    if (mkdtemp(path_.data())) return;
    error = fmt::format("cannot make a folder {}: {}", path_, std::strerror(errno));
    path_.clear();
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

} // namespace gradc
