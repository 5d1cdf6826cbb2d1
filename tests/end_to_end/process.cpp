// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Output goes to files, not to pipes, so that nothing can block. Every command is a process group of its own, so that a
// signal also reaches a trainer behind a shell.
#include "tests/end_to_end/process.h"
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace end_to_end {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void redirect(const char* path, int to, int flags) {
    int file = open(path, flags, 0600);
    if (file < 0) _exit(126);
    dup2(file, to);
    close(file);
}

[[noreturn]] void become(const std::string& command, const Launch& launch, const fs::path& own) {
    fs::path out = own / "out", err = own / "err";
    setpgid(0, 0);
    setenv("XDG_CACHE_HOME", (own / "cache").c_str(), 1); // nothing is taken from another command's cache, nor kept
    redirect("/dev/null", STDIN_FILENO, O_RDONLY);
    redirect(out.c_str(), STDOUT_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
    if (launch.joined) dup2(STDOUT_FILENO, STDERR_FILENO);
    else redirect(err.c_str(), STDERR_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
    if (chdir(launch.folder.c_str()) != 0) _exit(126);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); // descriptors that the test inherited
    execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    _exit(127);
}

/// Waits for `process` and sends the signals of its launch.
int wait_for(pid_t process, const Launch& launch, Clock::time_point start, bool& timed_out) {
    bool signalled = launch.signal == 0;
    for (;;) {
        int status = 0;
        pid_t ended = waitpid(process, &status, WNOHANG);
        if (ended == process) return status;
        if (ended < 0 && errno != EINTR) throw std::runtime_error("waitpid failed");
        double passed = std::chrono::duration<double>(Clock::now() - start).count();
        bool due = launch.signal_when.empty() ? passed >= launch.signal_after
                                              : fs::exists(fs::path(launch.folder) / launch.signal_when);
        if (!signalled && due) {
            kill(-process, launch.signal);
            signalled = true;
        }
        if (!timed_out && passed >= launch.limit) {
            timed_out = true;
            kill(-process, SIGKILL);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

} // namespace

Outcome run(const std::string& command, const Launch& launch) {
    Scratch scratch;
    Clock::time_point start = Clock::now();
    pid_t process = fork();
    if (process < 0) throw std::runtime_error("fork failed");
    if (process == 0) become(command, launch, scratch.path());
    setpgid(process, process); // in the child as well: whoever comes first
    Outcome outcome;
    int status = wait_for(process, launch, start, outcome.timed_out);
    outcome.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.out = text_of(scratch.path() / "out");
    outcome.err = text_of(scratch.path() / "err");
    return outcome;
}

Scratch::Scratch() {
    std::string pattern = (fs::temp_directory_path() / "gradc-test-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder can be made");
    path_ = pattern;
}

Scratch::~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

void Scratch::link_tree(const std::string& gradc, const std::string& source) {
    fs::create_directory(path_ / "build");
    fs::create_symlink(gradc, path_ / "build/gradc");
    fs::create_directory_symlink(fs::path(source) / "examples", path_ / "examples");
}

std::string Scratch::write(const std::string& name, const std::string& text) const {
    fs::path path = path_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
}

std::string Scratch::read(const std::string& name) const { return text_of(path_ / name); }

std::string quoted(const std::string& text) {
    std::string result = "'";
    for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

} // namespace end_to_end
