// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arguments of lld, files in memory, the child process.
#include "compiler/target/link.h"
#include "compiler/target/compile.h"
#include "compiler/util/check.h"
#include "compiler/util/files.h"
#include "runtime/base/files.h"
#include <cerrno>
#include <cstdio>
#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>
#include <memory>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

namespace gradc::target {

namespace {

/// A file without a name, closed with its owner.
class MemoryFile {
public:
    explicit MemoryFile(const std::string& content) : descriptor_(memfd_create("object", MFD_CLOEXEC)) {
        check_machine(descriptor_ >= 0, "no file in memory for the linker");
        for (size_t written = 0; written < content.size();) {
            ssize_t some = write(descriptor_, content.data() + written, content.size() - written);
            check_machine(some > 0, "cannot write a file in memory for the linker");
            written += size_t(some);
        }
    }
    MemoryFile(const MemoryFile&) = delete;
    ~MemoryFile() { close(descriptor_); }
    int descriptor() const { return descriptor_; }
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

std::string read_integer(const std::string& path) {
    std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "rb"), fclose);
    check_machine(bool(file), "cannot read " + path);
    std::string content;
    char block[1 << 16];
    while (size_t some = fread(block, 1, sizeof block, file.get())) content.append(block, some);
    return content;
}

struct Linked {
    std::string bytes, complaint; // one of them is empty
};

constexpr int output_lost = 2; // exit code of the child

/// Runs ld.lld in a child process, since a link leaves pointers in lld's globals that crash a later
/// one of another kind.
Linked run_lld(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "ld.lld");
    arguments.insert(arguments.end(), {"--threads=1", "--build-id=none", "-o", "-"});
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    MemoryFile complaint(""), result("");
    pid_t child = fork();
    check_machine(child >= 0, "cannot start the linker");
    if (child == 0) {
        dup2(result.descriptor(), STDOUT_FILENO);
        llvm::raw_fd_ostream errors(complaint.descriptor(), false, true);
        lld::Result ended = lld::lldMain(pointers, llvm::nulls(), errors, {{lld::Gnu, &lld::elf::link}});
        llvm::outs().flush(); // lld does not look at what became of its output
        if (!llvm::outs().has_error()) _exit(ended.retCode == 0 ? 0 : 1);
        errors << llvm::outs().error().message();
        errors.flush();
        _exit(output_lost);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {read_integer(result.path()), ""};
    std::string text = read_integer(complaint.path());
    text.erase(text.find_last_not_of('\n') + 1);
    if (WIFEXITED(status) && WEXITSTATUS(status) == output_lost)
        throw MachineError("cannot write what the linker made: " + text);
    return {"", text.empty() ? "the linker failed" : text};
}

/// Links and writes; what went wrong, or "".
std::string link_to(const std::string& path, std::vector<std::string> arguments) {
    Linked linked = run_lld(std::move(arguments));
    return linked.complaint.empty() ? write_file(path, linked.bytes, true) : linked.complaint;
}

} // namespace

std::string join_objects(const std::vector<std::string>& objects) {
    std::vector<std::unique_ptr<MemoryFile>> files;
    std::vector<std::string> arguments{"-r"};
    for (const std::string& object : objects) {
        files.push_back(std::make_unique<MemoryFile>(object));
        arguments.push_back(files.back()->path());
    }
    Linked linked = run_lld(std::move(arguments));
    check(linked.complaint.empty(), "link", linked.complaint);
    return std::move(linked.bytes);
}

std::string find_runtime() {
    std::string folder = runtime::own_folder();
    for (const char* place : {"/../lib/gradc/runtime.o", "/lib/gradc/runtime.o"})
        if (access((folder + place).c_str(), R_OK) == 0) return folder + place;
    return "";
}

std::string link_trainer(const std::string& object, std::string& error, const LinkOptions& options) {
    std::string prelinked = options.runtime.empty() ? find_runtime() : options.runtime;
    error = prelinked.empty() ? "the runtime lib/gradc/runtime.o is missing beside gradc" : "";
    if (prelinked.empty()) return {};
    MemoryFile file(object);
    // A static PIE: it lies anywhere, relocates itself at its start by a bitmap (RELR), then locks what was relocated.
    Linked linked = run_lld({"-static", "-pie", "--no-dynamic-linker", "-z", "text", "--pack-dyn-relocs=relr", "-z",
                             "relro", "-z", "now", "-z", "noexecstack", "--gc-sections", "--icf=safe",
                             options.symbols ? "--strip-debug" : "--strip-all", prelinked, file.path()});
    error = linked.complaint;
    return std::move(linked.bytes);
}

std::string link_shared(const std::string& object, const std::string& path) {
    MemoryFile file(object);
    return link_to(path, {"-shared", "-Bsymbolic", "-z", "noexecstack", file.path()});
}

} // namespace gradc::target
