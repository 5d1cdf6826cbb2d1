// See files.h.
#include "runtime/base/files.h"
#include "runtime/base/text.h"
#include "runtime/memory.h"
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
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

// ---- reading -----------------------------------------------------------------------------------

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

MappedFile::~MappedFile() {
    if (data_) munmap(const_cast<char*>(data_), size_);
}

bool MappedFile::open(const std::string& path, Fault& fault) {
    int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO does not block
    if (descriptor < 0) return fault.fail(path, ": error: cannot read it: ", system_error());
    struct stat status{};
    bool regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    if (regular && status.st_size > 0) {
        void* data = mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data != MAP_FAILED) data_ = static_cast<const char*>(data), size_ = size_t(status.st_size);
    }
    std::string reason = system_error();
    close(descriptor);
    if (!regular) return fault.fail(path, ": error: it is ", S_ISDIR(status.st_mode) ? "a folder" : "no regular file");
    if (status.st_size > 0 && !data_ && !fits_memory(path, uint64_t(status.st_size), fault)) return false;
    if (status.st_size > 0 && !data_) return fault.fail(path, ": error: cannot read it: ", reason);
    return true;
}

// ---- replacing ---------------------------------------------------------------------------------

static constexpr size_t buffer_size = 1 << 18;

bool ReplacingFile::open(Fault& fault) {
    if (is_folder(path_)) return fault.fail(path_, ": error: it is a folder, not a file");
    struct stat status;
    if (stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        return fault.fail(path_, ": error: it is no regular file, so it cannot be replaced");
    temporary_ = path_ + ".tmp";
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor_ < 0) return fault.fail(path_, ": error: cannot write it: ", system_error());
    return true;
}

ReplacingFile::~ReplacingFile() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    unlink(temporary_.c_str());
}

bool ReplacingFile::write(const void* bytes, size_t size, Fault& fault) {
    if (buffer_.size() + size > buffer_size && !flush(fault)) return false;
    if (size < buffer_size) {
        buffer_.append(static_cast<const char*>(bytes), size);
        return true;
    }
    if (write_all(descriptor_, {static_cast<const char*>(bytes), size})) return true;
    return fault.fail(path_, ": error: cannot write it: ", system_error());
}

bool ReplacingFile::flush(Fault& fault) {
    bool written = write_all(descriptor_, buffer_);
    buffer_.clear();
    return written || fault.fail(path_, ": error: cannot write it: ", system_error());
}

bool ReplacingFile::commit(Fault& fault) {
    if (!flush(fault)) return false;
    if (fsync(descriptor_) != 0 || rename(temporary_.c_str(), path_.c_str()) != 0) {
        return fault.fail(path_, ": error: cannot write it: ", system_error());
    }
    close(descriptor_);
    descriptor_ = -1;
    std::string folder = folder_of(path_);
    int parent = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        fsync(parent);
        close(parent);
    }
    return true;
}

// ---- locks -------------------------------------------------------------------------------------

bool FileLock::acquire(const std::string& path, Fault& fault) {
    path_ = path + ".lock";
    for (;;) {
        descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (descriptor_ < 0) return fault.fail(path, ": error: cannot write here: ", system_error());
        if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
            close(descriptor_);
            descriptor_ = -1;
            return fault.fail(path, ": error: another trainer is writing this checkpoint");
        }
        // Whoever held the lock may have removed the file between our open and our lock.
        struct stat held, named;
        if (fstat(descriptor_, &held) == 0 && stat(path_.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
            held.st_dev == named.st_dev) {
            return true;
        }
        close(descriptor_);
    }
}

FileLock::~FileLock() {
    if (descriptor_ < 0) return;
    unlink(path_.c_str());
    close(descriptor_);
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

/// The path without links, "" if it leads nowhere.
static std::string resolved(const std::string& path) {
    char place[PATH_MAX];
    return realpath(path.c_str(), place) ? place : "";
}

bool Places::contain(const std::string& found, Fault& fault) const {
    std::string place = resolved(found), listed;
    for (const std::string& folder : folders) {
        std::string root = resolved(folder);
        if (!root.empty() && root != "/") root += '/';
        if (!root.empty() && place.starts_with(root)) return true;
        listed += text(listed.empty() ? "" : ", ", folder);
    }
    return fault.fail(found, ": error: it lies outside of ", listed,
                      ", and --confine lets the model read nothing else");
}

std::string Places::find(std::string_view path, Fault& fault) const {
    if (!path.empty() && path[0] == '/') {
        std::string found(path);
        if (confined && !contain(found, fault)) return "";
        if (!exists(found)) fault.fail(path, ": error: there is no such file");
        return found;
    }
    std::string sought;
    for (const std::string& folder : folders) {
        std::string candidate = joined(folder, path);
        if (exists(candidate)) return !confined || contain(candidate, fault) ? candidate : "";
        sought += text(sought.empty() ? "" : ", ", folder.empty() ? "the current folder" : folder);
    }
    fault.fail(path, ": error: there is no such file in ", sought, "; --data DIR names another folder");
    return "";
}

} // namespace gradc::runtime
