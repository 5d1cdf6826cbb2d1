// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks before writing, and paths; the writing itself is runtime/base/files.
#include "compiler/util/files.h"
#include "runtime/base/files.h"
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace gradc {

std::string cannot_write(const std::string& path) {
    struct stat status;
    if (stat(path.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) return "it is a folder";
        if (!S_ISREG(status.st_mode)) return "it is not a regular file";
        if (access(path.c_str(), W_OK) != 0) return runtime::system_error();
    }
    if (access(folder_of(path).c_str(), W_OK) != 0) return folder_of(path) + ": " + runtime::system_error();
    return {};
}

std::string write_file(const std::string& path, const std::string& bytes, bool executable, bool own) {
    if (std::string reason = cannot_write(path); !reason.empty()) return reason;
    unsigned mode = (executable ? 0777 : 0666) & (own ? 0700 : 0777);
    runtime::Error error;
    if (runtime::write_file(path, bytes, error, mode)) return {};
    constexpr std::string_view before = ": error: cannot write it: ";
    size_t found = error.message.find(before);
    return found == std::string::npos ? error.message : error.message.substr(found + before.size());
}

bool same_file(const std::string& a, const std::string& b) {
    struct stat first, second;
    return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

std::string folder_of(const std::string& path) {
    std::string folder = runtime::folder_of(path);
    return folder.empty() ? "." : folder;
}

std::string stem_of(const std::string& path) {
    size_t slash = path.rfind('/');
    std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    size_t dot = name.rfind('.');
    return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

bool make_folders(const std::string& path, unsigned mode) {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        std::string part = path.substr(0, slash);
        if (mkdir(part.c_str(), mode) != 0 && errno != EEXIST) return false;
        if (slash == std::string::npos) return true;
    }
}

} // namespace gradc
