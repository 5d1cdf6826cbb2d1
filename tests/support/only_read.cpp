// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `only_read PROGRAM ARGUMENT ..` runs a program that the kernel ends with SIGSYS if it tries to write a file, open a
// connection or start another program. Exit code 77: this kernel has no such filter.
#include <cstddef>
#include <cstdio>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace {

constexpr unsigned load = BPF_LD | BPF_W | BPF_ABS;
constexpr unsigned equal = BPF_JMP | BPF_JEQ | BPF_K, test = BPF_JMP | BPF_JSET | BPF_K;

/// execveat is left to this program: nothing that it runs calls it.
std::vector<sock_filter> filter() {
    const sock_filter kill = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    const sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    std::vector<sock_filter> code = {BPF_STMT(load, offsetof(seccomp_data, arch)),
                                     BPF_JUMP(equal, AUDIT_ARCH_X86_64, 1, 0), kill,
                                     BPF_STMT(load, offsetof(seccomp_data, nr))};
    for (unsigned forbidden : {SYS_socket, SYS_execve,   SYS_creat,     SYS_rename,  SYS_renameat,      SYS_renameat2,
                               SYS_unlink, SYS_unlinkat, SYS_mkdir,     SYS_mkdirat, SYS_rmdir,         SYS_link,
                               SYS_linkat, SYS_symlink,  SYS_symlinkat, SYS_mknod,   SYS_mknodat,       SYS_truncate,
                               SYS_chmod,  SYS_fchmodat, SYS_utimensat, SYS_openat2, SYS_io_uring_setup}) {
        code.push_back(BPF_JUMP(equal, forbidden, 0, 1));
        code.push_back(kill);
    }
    struct Opening {
        unsigned call, flags; // where its flags are among its arguments
    };
    for (Opening each : {Opening{SYS_open, 1}, Opening{SYS_openat, 2}}) {
        code.push_back(BPF_JUMP(equal, each.call, 0, 4));
        code.push_back(BPF_STMT(load, unsigned(offsetof(seccomp_data, args) + 8 * each.flags)));
        code.push_back(BPF_JUMP(test, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1));
        code.push_back(kill);
        code.push_back(allow);
    }
    code.push_back(allow);
    return code;
}

} // namespace

int main(int count, char** words) {
    if (count < 2) return 2;
    int program = open(words[1], O_RDONLY | O_CLOEXEC);
    if (program < 0) return std::perror(words[1]), 2;
    std::vector<sock_filter> code = filter();
    sock_fprog filter{static_cast<unsigned short>(code.size()), code.data()};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 77;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return 77;
    syscall(SYS_execveat, program, "", words + 1, environ, AT_EMPTY_PATH);
    std::perror(words[1]);
    return 2;
}
