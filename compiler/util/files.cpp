// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Written beside the wanted name, then renamed; see files.h.
#include "compiler/util/files.h"
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gradc {
namespace {

std::string reason() { return std::strerror(errno); }

bool write_all(int file, const std::string& bytes) {
    size_t done = 0;
    while (done < bytes.size()) {
        ssize_t n = ::write(file, bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += size_t(n);
    }
    return true;
}

} // namespace

std::string cannot_write(const std::string& path) {
    struct stat status;
    if (stat(path.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) return "it is a folder";
        if (!S_ISREG(status.st_mode)) return "it is no regular file";
        if (access(path.c_str(), W_OK) != 0) return reason();
    }
    if (access(folder_of(path).c_str(), W_OK) != 0) return folder_of(path) + ": " + reason();
    return {};
}

std::optional<std::string> read_open_file(int descriptor) {
    std::string bytes;
    char block[1 << 16];
    ssize_t some;
    while ((some = read(descriptor, block, sizeof block)) > 0 || (some < 0 && errno == EINTR))
        if (some > 0) bytes.append(block, size_t(some));
    if (some < 0) return {};
    return bytes;
}

std::optional<std::string> read_file(const std::string& path) {
    int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    std::optional<std::string> bytes = read_open_file(file);
    close(file);
    return bytes;
}

std::string write_file(const std::string& path, const std::string& bytes, bool executable, bool own) {
    if (std::string error = cannot_write(path); !error.empty()) return error;
    std::string temporary = fmt::format("{}.{}.part", path, getpid());
    mode_t mode = (executable ? 0777 : 0666) & (own ? 0700 : 0777);
    int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (file < 0) return reason();
    bool good = write_all(file, bytes) && fsync(file) == 0;
    std::string error = good ? "" : reason();
    if (close(file) != 0 && good) error = reason();
    if (error.empty() && rename(temporary.c_str(), path.c_str()) != 0) error = reason();
    if (!error.empty()) unlink(temporary.c_str());
    return error;
}

std::string outside(const std::string& path, const std::vector<std::string>& folders) {
    namespace fs = std::filesystem;
    std::error_code error;
    fs::path place = fs::weakly_canonical(fs::absolute(path), error);
    if (error) return error.message();
    for (const std::string& folder : folders) {
        fs::path root = fs::canonical(folder, error);
        if (error) continue;
        if (std::mismatch(root.begin(), root.end(), place.begin(), place.end()).first == root.end()) return {};
    }
    return fmt::format("it lies outside of {}, and --confine lets a model read nothing else", fmt::join(folders, ", "));
}

bool same_file(const std::string& a, const std::string& b) {
    struct stat first, second;
    return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

std::string folder_of(const std::string& path) {
    size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
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

std::string hash_text(const std::string& bytes) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
    return fmt::format("{:016x}", hash);
}

std::string own_path() {
    std::string path(4096, '\0');
    ssize_t n = readlink("/proc/self/exe", path.data(), path.size());
    path.resize(n > 0 ? size_t(n) : 0);
    return path;
}

} // namespace gradc
