// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A temporary folder that is removed with its content by the destructor.
#pragma once
#include <string>

namespace gradc {

class TemporaryFolder {
public:
    /// `error` gets the reason why it could not be created, or "".
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
