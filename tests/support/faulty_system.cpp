// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// System calls that fail on demand, linked in front of a stub trainer's by -Wl,--wrap. FAULT is "call kind number".
// From that call of the process: it fails (`once`), it and all later ones fail (`ever`), it is interrupted (`signal`),
// or it does a part of its work (`short`). The file `fault.fired` exists afterwards if the call was reached. Standard
// error always works.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

enum Kind { sound, once, ever, interrupted, partial };

struct Plan {
    char call[16] = "", kind[16] = "";
    long number = 0, count = 0;
    bool read = false;

    Kind next(const char* name) {
        if (!read) {
            read = true;
            const char* text = getenv("FAULT");
            if (text && sscanf(text, "%15s %15s %ld", call, kind, &number) != 3) _exit(99);
        }
        if (strcmp(call, name) != 0 || ++count < number) return sound;
        bool lasts = strcmp(kind, "ever") == 0;
        if (count > number && !lasts) return sound;
        if (count == number) close(int(syscall(SYS_open, "fault.fired", O_WRONLY | O_CREAT, 0666)));
        return lasts ? ever : strcmp(kind, "signal") == 0 ? interrupted : strcmp(kind, "short") == 0 ? partial : once;
    }
};
Plan plan;

/// -1 and errno instead of the call?
bool fails(const char* name, int error) {
    Kind kind = plan.next(name);
    if (kind == sound) return false;
    errno = kind == interrupted ? EINTR : error;
    return true;
}

} // namespace

extern "C" {
ssize_t __real_write(int descriptor, const void* bytes, size_t size);
int __real_fsync(int descriptor);
int __real_rename(const char* from, const char* to);
int __real_open(const char* path, int flags, ...);
int __real_flock(int descriptor, int operation);
void* __real_mmap(void* at, size_t size, int protection, int flags, int descriptor, off_t offset);
void* __real_malloc(size_t size);

ssize_t __wrap_write(int descriptor, const void* bytes, size_t size) {
    Kind kind = descriptor == STDERR_FILENO ? sound : plan.next("write");
    if (kind == sound) return __real_write(descriptor, bytes, size);
    if (kind == partial) return __real_write(descriptor, bytes, size / 2 + size % 2);
    errno = kind == interrupted ? EINTR : ENOSPC;
    return -1;
}
int __wrap_fsync(int descriptor) { return fails("fsync", EIO) ? -1 : __real_fsync(descriptor); }
int __wrap_rename(const char* from, const char* to) { return fails("rename", EIO) ? -1 : __real_rename(from, to); }
int __wrap_open(const char* path, int flags, int mode) {
    return fails("open", EMFILE) ? -1 : __real_open(path, flags, mode);
}
int __wrap_flock(int descriptor, int operation) {
    return fails("flock", ENOLCK) ? -1 : __real_flock(descriptor, operation);
}
void* __wrap_mmap(void* at, size_t size, int protection, int flags, int descriptor, off_t offset) {
    return fails("mmap", ENOMEM) ? MAP_FAILED : __real_mmap(at, size, protection, flags, descriptor, offset);
}
void* __wrap_malloc(size_t size) { return fails("malloc", ENOMEM) ? nullptr : __real_malloc(size); }
}
