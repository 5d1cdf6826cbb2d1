// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Open mappings are in a global list, because a signal handler has no arguments. The list changes only while no other
// thread reads data.
#include "runtime/base/mapped_file.h"
#include "runtime/base/files.h"
#include "runtime/base/memory.h"
#include "runtime/base/text.h"
#include <csignal>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gradc::runtime {

struct MappedFile::Mapping {
    std::string path;
    const char* data = nullptr;
    size_t size = 0;
    struct stat status{}; // when it was opened
    Mapping* next = nullptr;
};

static MappedFile::Mapping* open_mappings = nullptr;

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(mapping_, other.mapping_);
    return *this;
}

MappedFile::~MappedFile() {
    if (!mapping_) return;
    Mapping** link = &open_mappings;
    while (*link != mapping_) link = &(*link)->next;
    *link = mapping_->next;
    if (mapping_->data) munmap(const_cast<char*>(mapping_->data), mapping_->size);
    delete mapping_;
}

std::string_view MappedFile::bytes() const {
    return mapping_ ? std::string_view(mapping_->data, mapping_->size) : std::string_view();
}

bool MappedFile::open(const std::string& path, Error& error) {
    int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); // opening a FIFO does not block
    if (descriptor < 0) return error.fail(path, ": error: cannot read it: ", system_error());
    struct stat status{};
    bool regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    void* data = MAP_FAILED;
    if (regular && status.st_size > 0)
        data = mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0);
    std::string reason = system_error();
    close(descriptor);
    if (!regular)
        return error.fail(path, ": error: it is ", S_ISDIR(status.st_mode) ? "a folder" : "not a regular file");
    bool mapped = data != MAP_FAILED;
    if (status.st_size > 0 && !mapped && !fits_memory(path, uint64_t(status.st_size), error)) return false;
    if (status.st_size > 0 && !mapped) return error.fail(path, ": error: cannot read it: ", reason);
    *this = MappedFile();
    mapping_ = new Mapping{path, mapped ? static_cast<const char*>(data) : nullptr, size_t(status.st_size), status,
                           open_mappings};
    open_mappings = mapping_;
    return true;
}

static std::string sizes(const MappedFile::Mapping& mapping, const struct stat& now) {
    return text("it had ", mapping.size, " bytes when it was opened, now it has ", int64_t(now.st_size));
}

std::string MappedFile::change() const {
    struct stat now;
    if (!mapping_ || stat(mapping_->path.c_str(), &now) != 0) return ""; // the mapped pages still exist
    const struct stat& then = mapping_->status;
    bool same_file = now.st_ino == then.st_ino && now.st_dev == then.st_dev;
    bool same_time = now.st_mtim.tv_sec == then.st_mtim.tv_sec && now.st_mtim.tv_nsec == then.st_mtim.tv_nsec;
    if (!same_file || (same_time && now.st_size == then.st_size)) return "";
    return text(mapping_->path, ": warning: another process wrote to this file: ", sizes(*mapping_, now),
                "; the rows in use may have changed");
}

// ---- lost pages --------------------------------------------------------------------------------

/// This thread was reading data, not inside the allocator, so the handler may build text.
static void on_lost_page(int number, siginfo_t* about, void*) {
    const char* at = static_cast<const char*>(about->si_addr);
    for (const MappedFile::Mapping* mapping = open_mappings; mapping; mapping = mapping->next) {
        bool inside = at >= mapping->data && at < mapping->data + mapping->size;
        if (!inside) continue;
        struct stat now{};
        stat(mapping->path.c_str(), &now);
        complain(text(mapping->path, ": error: it changed while it was in use: ", sizes(*mapping, now)));
        remove_temporary_files();
        _exit(input_error);
    }
    signal(number, SIG_DFL); // raised again on return
}

void watch_mapped_files() {
    struct sigaction action{};
    action.sa_sigaction = on_lost_page;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &action, nullptr);
}

} // namespace gradc::runtime
