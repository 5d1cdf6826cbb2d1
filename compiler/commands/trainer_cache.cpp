// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An entry is ROOT/<16 digits>/<name of the model>. Two processes that write the same entry write the same bytes to
// temporary files and rename them. The file is the trainer, followed by a hash of 16 digits: an ELF file may be longer
// than its headers say, so it can be executed in place.
#include "compiler/commands/trainer_cache.h"
#include "compiler/target/link.h"
#include "compiler/util/files.h"
#include "runtime/base/hash.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gradc {

namespace fs = std::filesystem;

namespace {

constexpr size_t name_length = 16; // of a folder in the cache
constexpr size_t seal_length = 16; // of the hash behind a trainer's bytes

std::string cache_root() {
    if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder && *folder) return std::string(folder) + "/gradc";
    if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.cache/gradc";
    return "/tmp/gradc-cache-" + std::to_string(getuid());
}

/// Shared libraries are identified by path, inode, size and time, not by content: LLVM's alone has a hundred megabytes.
int add_library(dl_phdr_info* library, size_t, void* to) {
    struct stat file{};
    if (library->dlpi_name[0] != '\0' && stat(library->dlpi_name, &file) == 0)
        static_cast<runtime::Hash*>(to)->add(fmt::format("{} {} {} {}.{}", library->dlpi_name, file.st_ino,
                                                         file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec));
    return 0;
}

bool add_file(runtime::Hash& hash, const std::string& path) {
    runtime::MappedFile file;
    runtime::Error error;
    if (!file.open(path, error)) return false;
    hash.add(file.bytes());
    return true;
}

/// False if a part of the compiler cannot be read.
bool add_compiler(runtime::Hash& hash) {
    hash.add(version_text());
    dl_iterate_phdr(add_library, &hash);
    std::string runtime = target::find_runtime();
    return add_file(hash, "/proc/self/exe") && (runtime.empty() || add_file(hash, runtime));
}

void add_options(runtime::Hash& hash, const CommandLine& line) {
    hash.add(line.isa);
    for (loop::Isa isa : isas(line.isa)) hash.add(std::to_string(int(isa))); // "native" depends on the machine
    hash.add(name(line.precision));
    hash.add(line.fuse ? "fused" : "unfused");
    hash.add(line.share ? "shared" : "unshared");
    hash.add(line.symbols ? "symbols" : "stripped");
    hash.add(line.keep_denormals ? "denormals" : "flushed");
    hash.add(std::to_string(line.memory));
    for (const auto& [constant, value] : line.set) hash.add("set"), hash.add(constant), hash.add(value);
    for (const std::string& pass : line.disabled_passes) hash.add("without"), hash.add(pass);
}

/// The library belongs to the compiler. Diagnostics in a trainer name files without their folders.
void add_model(runtime::Hash& hash, const Front& front) {
    hash.add(front.job->name);
    for (const Source& source : front.sources.all) {
        if (source.name.rfind("std/", 0) == 0) continue;
        hash.add(fs::path(source.name).filename().string());
        hash.add(source.text);
    }
    for (const std::string& read : front.job->data_read) hash.add("data"), hash.add(read);
}

std::string error_text() { return std::strerror(errno); }

/// Other users can rename files in a folder that they may write, unless it is sticky. A group with its owner's number
/// is taken as the owner's own, as with umask 002.
bool others_write(const struct stat& status) {
    bool group = (status.st_mode & S_IWGRP) != 0 && status.st_gid != status.st_uid;
    return (group || (status.st_mode & S_IWOTH) != 0) && (status.st_mode & S_ISVTX) == 0;
}

/// Trainers are executed. The reason why another user could place one below `path`, or "". Every folder of the path
/// counts, and the targets of links.
std::string exposed(const fs::path& path, int links = 0) {
    constexpr int most_links = 40; // the limit of the kernel
    fs::path part;
    for (const fs::path& name : fs::absolute(path)) {
        part /= name;
        struct stat status{};
        if (lstat(part.c_str(), &status) != 0) return part.string() + ": " + error_text();
        if (status.st_uid != geteuid() && status.st_uid != 0) return part.string() + " belongs to another user";
        if (S_ISLNK(status.st_mode)) {
            std::error_code none;
            fs::path target = part.parent_path() / fs::read_symlink(part, none);
            std::string error = links < most_links ? exposed(target, links + 1) : "too many links";
            if (!error.empty()) return error;
        } else if (others_write(status)) {
            return part.string() + ": others may write into it";
        }
    }
    return {};
}

/// The reason why an open file cannot be a trainer of the cache, or "".
std::string unfit(int file) {
    struct stat status{};
    if (fstat(file, &status) != 0) return error_text();
    if (!S_ISREG(status.st_mode)) return "it is not a regular file";
    if (status.st_uid != geteuid()) return "it belongs to another user";
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "others may write it";
    return (status.st_mode & S_IXUSR) != 0 ? "" : "it is not executable";
}

struct Kept {
    fs::path folder;
    fs::file_time_type used;
    size_t bytes = 0;
};

bool is_name(const std::string& text) {
    return text.size() == name_length && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<Kept> kept_in(const std::string& root) {
    std::vector<Kept> all;
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(root, none)) {
        if (!entry.is_directory(none) || entry.is_symlink(none) || !is_name(entry.path().filename())) continue;
        if (fs::is_empty(entry.path(), none)) continue; // of a build that kept nothing, or is about to
        Kept kept{entry.path(), entry.last_write_time(none), 0};
        for (const fs::directory_entry& file : fs::directory_iterator(entry.path(), none)) {
            std::error_code gone; // another process may remove entries
            fs::file_time_type used = file.last_write_time(gone);
            if (!gone) kept.used = std::max(kept.used, used);
            uintmax_t size = file.file_size(gone);
            if (!gone) kept.bytes += size;
        }
        all.push_back(std::move(kept));
    }
    return all;
}

} // namespace

CacheEntry::CacheEntry(const std::string& key, const std::string& file) : root_(cache_root()) {
    if (key.empty()) return;
    folder_ = root_ + "/" + key;
    path_ = folder_ + "/" + file;
}

CacheEntry CacheEntry::trainer(const Front& front, const CommandLine& line) {
    runtime::Hash hash;
    bool readable = add_compiler(hash);
    add_options(hash, line);
    add_model(hash, front);
    return {readable ? runtime::hexadecimal(hash.value()) : "", stem_of(line.model)};
}

CacheEntry CacheEntry::code(const CommandLine& line) {
    runtime::Hash hash;
    bool readable = add_compiler(hash);
    hash.add("code");
    hash.add(fs::absolute(line.model).string());
    return {readable ? runtime::hexadecimal(hash.value()) : "", "code"};
}

std::string CacheEntry::open() const {
    if (folder_.empty()) return "the compiler's own file cannot be read";
    for (const std::string& folder : {root_, folder_}) {
        if (!make_folders(folder, 0700)) return error_text();
        if (std::string error = exposed(folder); !error.empty()) return error;
    }
    return {};
}

/// The hash covers the name of the folder, so that an entry copied to another place is refused.
std::string CacheEntry::seal(const std::string& bytes) const {
    runtime::Hash hash;
    hash.add(fs::path(folder_).filename().string());
    hash.add(bytes);
    return runtime::hexadecimal(hash.value());
}

static std::optional<std::string> read_open_file(int descriptor) {
    std::string bytes;
    char block[1 << 16];
    ssize_t some;
    while ((some = read(descriptor, block, sizeof block)) > 0 || (some < 0 && errno == EINTR))
        if (some > 0) bytes.append(block, size_t(some));
    if (some < 0) return {};
    return bytes;
}

std::optional<std::string> CacheEntry::take() const {
    int file = ::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return {};
    std::string error = file >= 0 ? unfit(file) : errno == ELOOP ? "it is a link" : error_text();
    std::optional<std::string> bytes;
    if (error.empty() && !(bytes = read_open_file(file))) error = error_text();
    if (bytes) {
        std::string found = bytes->substr(bytes->size() - std::min(bytes->size(), seal_length));
        bytes->resize(bytes->size() - found.size());
        if (found != seal(*bytes)) error = "its content is not what was written";
    }
    if (error.empty()) futimens(file, nullptr);
    if (file >= 0) close(file);
    if (error.empty()) return bytes;
    fmt::print(stderr, "gradc: note: {} is built again: {}\n", path_, error);
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    return {};
}

std::string CacheEntry::keep(const std::string& bytes) const {
    std::string error = write_file(path_, bytes + seal(bytes), true, true);
    if (error.empty()) trim();
    return error;
}

void CacheEntry::trim() const {
    std::vector<Kept> all = kept_in(root_);
    std::sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) { return a.used > b.used; });
    size_t count = 0, bytes = 0;
    for (const Kept& kept : all) {
        ++count, bytes += kept.bytes;
        bool fits = count <= most_entries && bytes <= most_bytes;
        std::error_code ignored;
        if (!fits && kept.folder != fs::path(folder_)) fs::remove_all(kept.folder, ignored);
    }
}

} // namespace gradc
