// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See trainer_cache.h. ROOT/<32 digits>/<name of the model>: two who write the same one at once write the same bytes to
// temporary files and rename them to the same name. A kept file is the trainer and 32 digits: an ELF file may be longer
// than its headers say, so it runs from its place.
#include "compiler/commands/trainer_cache.h"
#include "compiler/target/link.h"
#include "compiler/util/content_hash.h"
#include "compiler/util/files.h"
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

constexpr size_t name_length = 32; // of a folder in the cache
constexpr size_t seal_length = 32; // of the hash behind a trainer's bytes

std::string cache_root() {
    if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder && *folder) return std::string(folder) + "/gradc";
    if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.cache/gradc";
    return "/tmp/gradc-cache-" + std::to_string(getuid());
}

/// Shared libraries are told apart by their files, not by what these hold: LLVM's alone is a hundred megabytes.
int add_library(dl_phdr_info* library, size_t, void* to) {
    struct stat file{};
    if (library->dlpi_name[0] != '\0' && stat(library->dlpi_name, &file) == 0)
        static_cast<ContentHash*>(to)->add(fmt::format("{} {} {} {}.{}", library->dlpi_name, file.st_ino, file.st_size,
                                                       file.st_mtim.tv_sec, file.st_mtim.tv_nsec));
    return 0;
}

/// False if a part of the compiler cannot be read.
bool add_compiler(ContentHash& hash) {
    hash.add(version_text());
    dl_iterate_phdr(add_library, &hash);
    std::string runtime = target::find_runtime();
    return hash.add_file(own_path()) && (runtime.empty() || hash.add_file(runtime));
}

void add_options(ContentHash& hash, const CommandLine& line) {
    hash.add(line.isa);
    for (loop::Isa isa : isas(line.isa)) hash.add(std::to_string(int(isa))); // "native" is another elsewhere
    hash.add(name(line.precision));
    hash.add(line.fuse ? "fused" : "unfused");
    hash.add(line.share ? "shared" : "unshared");
    hash.add(line.symbols ? "symbols" : "stripped");
    for (const auto& [constant, value] : line.set) hash.add("set"), hash.add(constant), hash.add(value);
    for (const std::string& pass : line.disabled_passes) hash.add("without"), hash.add(pass);
}

/// What the library says is part of the compiler. Diagnostics in a trainer name files without their folders.
void add_model(ContentHash& hash, const Front& front) {
    hash.add(front.job->name);
    for (const Source& source : front.sources.all) {
        if (source.name.rfind("std/", 0) == 0) continue;
        hash.add(fs::path(source.name).filename().string());
        hash.add(source.text);
    }
    for (const std::string& read : front.job->data_read) hash.add("data"), hash.add(read);
}

std::string error_text() { return std::strerror(errno); }

/// Others can rename what lies in a folder that they may write, unless it is sticky. A group of its owner's number is
/// taken for the owner's own, as where the umask is 002.
bool others_write(const struct stat& status) {
    bool group = (status.st_mode & S_IWGRP) != 0 && status.st_gid != status.st_uid;
    return (group || (status.st_mode & S_IWOTH) != 0) && (status.st_mode & S_ISVTX) == 0;
}

/// Trainers are programs: why another user could put one below `path`, or "". Every folder on the way counts, and
/// where links lead.
std::string exposed(const fs::path& path, int links = 0) {
    constexpr int most_links = 40; // as many as the kernel follows
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

/// Why an open file cannot be a kept trainer, or "".
std::string unfit(int file) {
    struct stat status{};
    if (fstat(file, &status) != 0) return error_text();
    if (!S_ISREG(status.st_mode)) return "it is no regular file";
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
        Kept kept{entry.path(), entry.last_write_time(none), 0};
        for (const fs::directory_entry& file : fs::directory_iterator(entry.path(), none)) {
            std::error_code gone; // another process trims as well
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
    ContentHash hash;
    bool readable = add_compiler(hash);
    add_options(hash, line);
    add_model(hash, front);
    return {readable ? hash.text() : "", stem_of(line.model)};
}

CacheEntry CacheEntry::code(const CommandLine& line) {
    ContentHash hash;
    bool readable = add_compiler(hash);
    hash.add("code");
    hash.add(fs::absolute(line.model).string());
    return {readable ? hash.text() : "", "code"};
}

std::string CacheEntry::open() const {
    if (folder_.empty()) return "the compiler's own file cannot be read";
    for (const std::string& folder : {root_, folder_}) {
        if (!make_folders(folder, 0700)) return error_text();
        if (std::string error = exposed(folder); !error.empty()) return error;
    }
    return {};
}

/// Hashed with the name of the folder: a trainer that was copied to another's place is not that one.
std::string CacheEntry::seal(const std::string& bytes) const {
    ContentHash hash;
    hash.add(fs::path(folder_).filename().string());
    hash.add(bytes);
    return hash.text();
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
