#include "compiler/target/link.h"
#include "compiler/target/compile.h"
#include "compiler/util/check.h"
#include <cstring>
#include <fcntl.h>
#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>
#include <memory>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

namespace gradc::target {

namespace {

/// A file without a name, closed with its owner.
class MemoryFile {
  public:
    explicit MemoryFile(const std::string& content) : descriptor_(memfd_create("object", MFD_CLOEXEC)) {
        check(descriptor_ >= 0, "link", "no anonymous memory");
        for (size_t written = 0; written < content.size();) {
            ssize_t some = write(descriptor_, content.data() + written, content.size() - written);
            check(some > 0, "link", "cannot write to anonymous memory");
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

/// A temporary file, removed with its owner unless it was renamed.
class TemporaryFile {
  public:
    explicit TemporaryFile(std::string pattern) : path_(std::move(pattern) + ".XXXXXX") {
        int descriptor = mkstemp(path_.data());
        if (descriptor < 0) path_.clear();
        else close(descriptor);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (!path_.empty()) unlink(path_.c_str());
    }
    bool made() const { return !path_.empty(); }
    const std::string& path() const { return path_; }
    bool rename_to(const std::string& path) {
        if (rename(path_.c_str(), path.c_str()) != 0) return false;
        path_.clear();
        return true;
    }

  private:
    std::string path_;
};

std::string read_whole(const std::string& path) {
    std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "rb"), fclose);
    check(bool(file), "link", "cannot read " + path);
    std::string content;
    char block[1 << 16];
    while (size_t some = fread(block, 1, sizeof block, file.get())) content.append(block, some);
    return content;
}

/// Runs ld.lld in a child process, since a link leaves pointers in lld's globals that crash a later one of another kind.
/// What it complained about, or "".
std::string run_lld(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "ld.lld");
    arguments.push_back("--threads=1");
    arguments.push_back("--build-id=none");
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    MemoryFile complaint("");
    pid_t child = fork();
    check(child >= 0, "link", "cannot start a process");
    if (child == 0) {
        llvm::raw_fd_ostream errors(complaint.descriptor(), false, true);
        lld::Result result = lld::lldMain(pointers, llvm::nulls(), errors, {{lld::Gnu, &lld::elf::link}});
        _exit(result.retCode == 0 ? 0 : 1);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
    std::string text = read_whole(complaint.path());
    return text.empty() ? "the linker failed" : text;
}

std::string temporary_folder() {
    const char* folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

/// Links to a temporary file beside `path`, then renames it there.
std::string link_to(const std::string& path, std::vector<std::string> arguments, mode_t mode) {
    TemporaryFile file(path);
    if (!file.made()) return "cannot write " + path + ": " + strerror(errno);
    arguments.insert(arguments.end(), {"-o", file.path()});
    std::string complaint = run_lld(std::move(arguments));
    if (!complaint.empty()) return complaint;
    mode_t mask = umask(0);
    umask(mask);
    if (chmod(file.path().c_str(), mode & ~mask) != 0 || !file.rename_to(path))
        return "cannot write " + path + ": " + strerror(errno);
    return "";
}

} // namespace

std::string join_objects(const std::vector<std::string>& objects) {
    std::vector<std::unique_ptr<MemoryFile>> files;
    std::vector<std::string> arguments{"-r"};
    for (const std::string& object : objects) {
        files.push_back(std::make_unique<MemoryFile>(object));
        arguments.push_back(files.back()->path());
    }
    TemporaryFile result(temporary_folder() + "/gradc");
    check(result.made(), "link", "cannot write to " + temporary_folder());
    arguments.insert(arguments.end(), {"-o", result.path()});
    std::string complaint = run_lld(std::move(arguments));
    check(complaint.empty(), "link", complaint);
    return read_whole(result.path());
}

std::string find_runtime() {
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) return "";
    std::string folder(self, size_t(length));
    folder.resize(folder.rfind('/'));
    for (const char* place : {"/../lib/gradc/runtime.o", "/lib/gradc/runtime.o"})
        if (access((folder + place).c_str(), R_OK) == 0) return folder + place;
    return "";
}

std::string link_trainer(const std::string& object, const std::string& path, const std::string& runtime) {
    std::string prelinked = runtime.empty() ? find_runtime() : runtime;
    if (prelinked.empty()) return "the runtime lib/gradc/runtime.o is missing beside gradc";
    MemoryFile file(object);
    return link_to(path,
                   {"-static", "--gc-sections", "--icf=safe", "-z", "noexecstack", "-z", "relro", "--strip-all",
                    prelinked, file.path()},
                   0777);
}

std::string link_shared(const std::string& object, const std::string& path) {
    MemoryFile file(object);
    return link_to(path, {"-shared", "-Bsymbolic", "-z", "noexecstack", file.path()}, 0777);
}

} // namespace gradc::target
