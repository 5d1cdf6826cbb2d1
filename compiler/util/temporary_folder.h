// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A folder of our own among the system's temporary ones, removed at the end with what is in it.
#pragma once
#include <string>

namespace gradc {

class TemporaryFolder {
public:
    /// `fault` says why none could be made, or is "".
    explicit TemporaryFolder(std::string& error);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

} // namespace gradc
