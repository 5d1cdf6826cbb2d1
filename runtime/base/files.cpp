// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// POSIX calls; each failure becomes an error with the path and the system's reason.
#include "runtime/base/files.h"
#include "runtime/base/memory.h"
#include "runtime/base/text.h"
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace gradc::runtime {

std::string system_error() { return strerror(errno); }

bool is_folder(const std::string& path) {
    struct stat status;
    return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::string folder_of(const std::string& path) {
    size_t slash = path.rfind('/');
    if (slash == std::string::npos) return "";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string joined(const std::string& folder, std::string_view path) {
    if (folder.empty() || (!path.empty() && path[0] == '/')) return std::string(path);
    return text(folder, folder.back() == '/' ? "" : "/", path);
}

std::string read_small_file(const std::string& path) {
    int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return "";
    char buffer[4096];
    ssize_t size = read(descriptor, buffer, sizeof buffer);
    close(descriptor);
    return std::string(buffer, size > 0 ? size_t(size) : 0);
}

// ---- temporary names ---------------------------------------------------------------------------

// A global list, because signal handlers and a failing allocator have no arguments.
static TemporaryName* temporary_names = nullptr;

void TemporaryName::set(std::string path) {
    path_ = std::move(path);
    next_ = temporary_names;
    temporary_names = this;
}

void TemporaryName::forget() {
    if (path_.empty()) return;
    TemporaryName** link = &temporary_names;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
    path_.clear();
}

void TemporaryName::remove() {
    if (path_.empty()) return;
    unlink(path_.c_str());
    forget();
}

void remove_temporary_files() {
    for (TemporaryName* name = temporary_names; name; name = name->next_) unlink(name->path_.c_str());
}

/// The end of a chain of symbolic links, whether a file is there or not; "" if the chain does not end.
static std::string target_of(std::string path) {
    for (int links = 0; links < 40; links++) {
        char next[4096];
        ssize_t size = readlink(path.c_str(), next, sizeof next);
        if (size < 0) return path;
        path = joined(folder_of(path), std::string_view(next, size_t(size)));
    }
    return "";
}

static bool is_still_named(int descriptor, const std::string& path) {
    struct stat held, named;
    return fstat(descriptor, &held) == 0 && lstat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

// ---- replacing ---------------------------------------------------------------------------------

static constexpr size_t buffer_size = 1 << 18;
static constexpr int random_digits = 16;

/// Whether a ReplacingFile for `of` may have created `name`.
static bool is_temporary_of(std::string_view name, std::string_view of) {
    if (name.size() != of.size() + 1 + random_digits + 4) return false;
    return name.starts_with(of) && name[of.size()] == '.' && name.ends_with(".tmp");
}

/// Removes temporary files for `target` of processes that were killed: a living process holds a lock on its own. Only
/// the first entries of a huge folder are examined.
static void remove_leftovers(const std::string& target) {
    std::string folder = folder_of(target), name = target.substr(target.rfind('/') + 1);
    DIR* entries = opendir(folder.empty() ? "." : folder.c_str());
    if (!entries) return;
    for (int looked = 0; looked < 10'000; looked++) {
        const dirent* entry = readdir(entries);
        if (!entry) break;
        if (!is_temporary_of(entry->d_name, name)) continue;
        std::string path = joined(folder, entry->d_name);
        int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (descriptor < 0) continue;
        struct stat status;
        bool plain = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
        if (plain && flock(descriptor, LOCK_EX | LOCK_NB) == 0) unlink(path.c_str());
        close(descriptor);
    }
    closedir(entries);
}

/// A new locked file beside `target`; -1 and errno on failure.
static int create_temporary(const std::string& target, unsigned mode, std::string& path) {
    for (int attempt = 0; attempt < 100; attempt++) {
        uint64_t number = 0;
        if (getrandom(&number, sizeof number, 0) < 0) number = 0;
        path = text(target, '.', hexadecimal(number + uint64_t(attempt)), ".tmp");
        int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (descriptor < 0 && errno == EEXIST) continue;
        if (descriptor < 0) return -1;
        // Another process may have removed it before it was locked; folders without locks have no such processes.
        bool locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
        if (locked && is_still_named(descriptor, path)) return descriptor;
        close(descriptor);
    }
    return errno = EEXIST, -1;
}

bool ReplacingFile::fail(Error& error) const { return error.fail(path_, ": error: cannot write it: ", system_error()); }

bool ReplacingFile::open(Error& error) {
    target_ = target_of(path_);
    if (target_.empty()) return errno = ELOOP, fail(error);
    if (is_folder(target_)) return error.fail(path_, ": error: it is a folder, not a file");
    struct stat status;
    bool replaces = stat(target_.c_str(), &status) == 0;
    if (replaces && !S_ISREG(status.st_mode))
        return error.fail(path_, ": error: it is not a regular file, so it cannot be replaced");
    remove_leftovers(target_);
    std::string temporary;
    descriptor_ = create_temporary(target_, mode_, temporary);
    if (descriptor_ < 0) return fail(error);
    temporary_.set(std::move(temporary));
    if (replaces) fchmod(descriptor_, (status.st_mode & 0777) | (mode_ & 0100)); // a private file stays private
    return true;
}

ReplacingFile::~ReplacingFile() {
    if (descriptor_ >= 0) close(descriptor_);
}

bool ReplacingFile::write(const void* bytes, size_t size, Error& error) {
    if (buffer_.size() + size > buffer_size && !flush(error)) return false;
    if (size < buffer_size) {
        buffer_.append(static_cast<const char*>(bytes), size);
        return true;
    }
    return write_all(descriptor_, {static_cast<const char*>(bytes), size}) || fail(error);
}

bool ReplacingFile::flush(Error& error) {
    bool written = write_all(descriptor_, buffer_) || fail(error);
    buffer_.clear();
    return written;
}

bool ReplacingFile::commit(Error& error) {
    if (!flush(error)) return false;
    if (fsync(descriptor_) != 0 || rename(temporary_.path().c_str(), target_.c_str()) != 0) return fail(error);
    temporary_.forget();
    close(descriptor_);
    descriptor_ = -1;
    std::string folder = folder_of(target_);
    int parent = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return errno == EACCES || fail(error);               // the folder may not be readable
    bool flushed = fsync(parent) == 0 || errno == EINVAL || fail(error); // EINVAL: folders cannot be flushed here
    close(parent);
    return flushed;
}

bool write_file(const std::string& path, std::string_view content, Error& error, unsigned mode) {
    ReplacingFile file(path, mode);
    return file.open(error) && file.write(content, error) && file.commit(error);
}

// ---- standard descriptors ----------------------------------------------------------------------

bool print(std::string_view text, Error& error) {
    if (write_all(STDOUT_FILENO, text)) return true;
    return errno != EPIPE && error.fail("standard output: error: cannot write it: ", system_error());
}

bool finish_printing(Error& error) {
    int copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0); // closing a copy reports errors and closes nothing
    if (copy < 0 || close(copy) == 0) return true;
    return error.fail("standard output: error: cannot write it: ", system_error());
}

void occupy_standard_descriptors() {
    for (int number = 0; number <= 2; number++) {
        if (fcntl(number, F_GETFD) >= 0) continue;
        // open() returns the lowest free number. Such a descriptor can neither be read nor written.
        if (open("/", O_PATH) != number) _exit(input_error);
    }
}

// ---- locks -------------------------------------------------------------------------------------

bool FileLock::acquire(const std::string& path, Error& error) {
    std::string name = target_of(path);
    if (name.empty()) return errno = ELOOP, error.fail(path, ": error: cannot write it: ", system_error());
    name += ".lock";
    for (;;) {
        descriptor_ = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        if (descriptor_ < 0 && errno != ELOOP) return error.fail(path, ": error: cannot write here: ", system_error());
        struct stat status;
        bool plain = descriptor_ >= 0 && fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
        bool held = plain && flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
        if (held && is_still_named(descriptor_, name)) break;
        std::string reason = system_error();
        bool taken = errno == EWOULDBLOCK;
        if (descriptor_ >= 0) close(descriptor_);
        descriptor_ = -1;
        if (held) continue; // its holder removed the file between open and lock
        if (!plain) return error.fail(path, ": error: cannot lock it: ", name, " is not a regular file");
        if (taken) return error.fail(path, ": error: another trainer is writing this checkpoint");
        return error.fail(path, ": error: cannot lock it: ", reason);
    }
    name_.set(std::move(name));
    return true;
}

FileLock::~FileLock() {
    name_.remove(); // before it is unlocked
    if (descriptor_ >= 0) close(descriptor_);
}

// ---- places ------------------------------------------------------------------------------------

std::string own_folder() {
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    return size > 0 ? folder_of(std::string(path, size_t(size))) : "";
}

Places Places::standard(const std::string& data_folder) {
    Places places;
    auto add = [&](const std::string& folder) {
        for (const std::string& known : places.folders) {
            if (known == folder) return;
        }
        places.folders.push_back(folder);
    };
    if (!data_folder.empty()) add(data_folder);
    const char* from_environment = getenv("GRADC_DATA");
    if (from_environment && *from_environment) add(from_environment);
    add("");
    add(own_folder());
    return places;
}

Places Places::confined_to(const std::vector<std::string>& folders) {
    Places places;
    places.confined = true;
    for (const std::string& folder : folders)
        if (!folder.empty() && (places.folders.empty() || folder != places.folders[0]))
            places.folders.push_back(folder);
    return places;
}

/// The absolute path without links. A part at the end that does not exist stays as written.
static std::string resolved(const std::string& path) {
    char place[PATH_MAX];
    if (realpath(path.empty() ? "." : path.c_str(), place)) return place;
    if (path.empty() || path == "/") return "";
    size_t slash = path.rfind('/');
    return joined(resolved(slash == 0 ? "/" : folder_of(path)), path.substr(slash + 1));
}

std::string Places::refusal(const std::string& path) const {
    if (!confined) return "";
    std::string place = resolved(path), listed;
    for (const std::string& folder : folders) {
        std::string root = resolved(folder);
        if (!root.empty() && root != "/") root += '/';
        if (!root.empty() && place.starts_with(root)) return "";
        listed += text(listed.empty() ? "" : ", ", folder);
    }
    return text("it is outside of ", listed, "; --confine lets a model read no other files");
}

std::string Places::find(std::string_view path, Error& error) const {
    auto allowed = [&](const std::string& found) {
        std::string reason = refusal(found);
        return reason.empty() || error.fail(found, ": error: ", reason);
    };
    if (!path.empty() && path[0] == '/') {
        std::string found(path);
        if (!allowed(found)) return "";
        if (!exists(found)) error.fail(path, ": error: there is no such file");
        return found;
    }
    std::string sought;
    for (const std::string& folder : folders) {
        std::string candidate = joined(folder, path);
        if (exists(candidate)) return allowed(candidate) ? candidate : "";
        sought += text(sought.empty() ? "" : ", ", folder.empty() ? "the current folder" : folder);
    }
    error.fail(path, ": error: there is no such file in ", sought, "; --data-dir DIR names another folder");
    return "";
}

} // namespace gradc::runtime
