// See trainer_cache.h. ROOT/<32 digits>/<name of the model>: two who write the same one at once write the same bytes to
// temporary files and rename them to the same name.
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
    for (const auto& [constant, value] : line.set) hash.add("set"), hash.add(constant), hash.add(value);
    for (const std::string& pass : line.disabled_passes) hash.add("without"), hash.add(pass);
}

/// What the library says is part of the compiler. Diagnostics in a trainer name files without their folders.
void add_model(ContentHash& hash, const Front& front) {
    hash.add(front.elaborated->name);
    for (const Source& source : front.sources.all) {
        if (source.name.rfind("std/", 0) == 0) continue;
        hash.add(fs::path(source.name).filename().string());
        hash.add(source.text);
    }
    for (const std::string& read : front.elaborated->data_read) hash.add("data"), hash.add(read);
}

/// Trainers are programs: a folder into which others can put some is not trusted.
bool is_own(const std::string& folder) {
    struct stat status{};
    return lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & S_IWOTH) == 0;
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

TrainerCache::TrainerCache(const Front& front, const CommandLine& line) : root_(cache_root()) {
    ContentHash hash;
    if (!add_compiler(hash)) return;
    add_options(hash, line);
    add_model(hash, front);
    folder_ = root_ + "/" + hash.text();
    trainer_ = folder_ + "/" + stem_of(line.model);
}

std::string TrainerCache::open() const {
    if (folder_.empty()) return "the compiler's own file cannot be read";
    if (!make_folders(root_)) return std::strerror(errno);
    if (!is_own(root_)) return "others may write into it";
    return make_folders(folder_) ? "" : std::strerror(errno);
}

bool TrainerCache::holds() const {
    return access(trainer_.c_str(), R_OK | X_OK) == 0 && utimensat(AT_FDCWD, trainer_.c_str(), nullptr, 0) == 0;
}

void TrainerCache::trim() const {
    std::vector<Kept> all = kept_in(root_);
    std::sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) { return a.used > b.used; });
    size_t count = 0, bytes = 0;
    for (const Kept& kept : all) {
        ++count, bytes += kept.bytes;
        bool fits = count <= most_trainers && bytes <= most_bytes;
        std::error_code ignored;
        if (!fits && kept.folder != fs::path(folder_)) fs::remove_all(kept.folder, ignored);
    }
}

} // namespace gradc
