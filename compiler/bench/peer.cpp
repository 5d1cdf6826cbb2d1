// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fork and exec with two pipes; a third one reports why exec failed. Reading polls the pipe and the descriptor of
// interrupts, so that a silent process cannot block gradc.
#include "compiler/bench/peer.h"
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gradc {

namespace {

constexpr size_t longest_line = 1 << 20;

double clock_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The environment of this process with `added`, which replace entries of the same name.
std::vector<std::string> environment_with(const std::vector<std::string>& added) {
    std::vector<std::string> result = added;
    for (char** entry = environ; *entry; ++entry) {
        std::string text = *entry, name = text.substr(0, text.find('=') + 1);
        bool replaced = false;
        for (const std::string& own : added) replaced |= own.rfind(name, 0) == 0;
        if (!replaced) result.push_back(text);
    }
    return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

struct Pipe {
    int ends[2] = {-1, -1}; // read, write
    bool open() { return pipe2(ends, O_CLOEXEC) == 0; }
    void close_end(int which) {
        if (ends[which] >= 0) close(ends[which]);
        ends[which] = -1;
    }
    ~Pipe() { close_end(0), close_end(1); }
};

/// In the child: never returns. It allocates nothing, since that is unsafe after a fork.
[[noreturn]] void become(char** words, char** environment, const cpu_set_t* cores, int input, int output, int errors,
                         int complaint) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    std::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (!cores || sched_setaffinity(0, sizeof *cores, cores) == 0) execvpe(words[0], words, environment);
    int reason = errno;
    if (write(complaint, &reason, sizeof reason) < 0) _exit(126);
    _exit(127);
}

std::string last_line(const std::string& path) {
    std::ifstream file(path);
    std::string last;
    for (std::string line; std::getline(file, line);)
        if (line.find_first_not_of(" \t\r") != line.npos) last = line;
    return last;
}

} // namespace

Interrupts::Interrupts() {
    sigset_t held;
    sigemptyset(&held);
    for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&held, signal);
    sigprocmask(SIG_BLOCK, &held, &before_);
    descriptor_ = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
}

/// Removes pending signals, so that they do not end the process once they are unblocked.
Interrupts::~Interrupts() {
    signalfd_siginfo taken;
    while (read(descriptor_, &taken, sizeof taken) > 0) {
    }
    close(descriptor_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool Interrupts::arrived() const {
    pollfd one{descriptor_, POLLIN, 0};
    return poll(&one, 1, 0) > 0;
}

std::vector<int> allowed_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> result;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return result;
    for (int core = 0; core < CPU_SETSIZE; ++core)
        if (CPU_ISSET(core, &set)) result.push_back(core);
    return result;
}

std::unique_ptr<Peer> Peer::start(const PeerStart& start, std::string& error) {
    std::vector<std::string> words = start.words, environment = environment_with(start.environment);
    std::vector<char*> word_pointers = pointers(words), environment_pointers = pointers(environment);
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int core : start.cores) CPU_SET(core, &set);
    Pipe input, output, complaint;
    int errors = open(start.errors.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0666);
    int pid = errors >= 0 && input.open() && output.open() && complaint.open() ? fork() : -1;
    if (pid == 0)
        become(word_pointers.data(), environment_pointers.data(), start.cores.empty() ? nullptr : &set, input.ends[0],
               output.ends[1], errors, complaint.ends[1]);
    int reason = errno;
    if (errors >= 0) close(errors);
    if (pid < 0) {
        error = std::strerror(reason);
        return nullptr;
    }
    complaint.close_end(1);
    if (read(complaint.ends[0], &reason, sizeof reason) == sizeof reason) {
        waitpid(pid, nullptr, 0);
        error = std::strerror(reason);
        return nullptr;
    }
    std::unique_ptr<Peer> peer(new Peer(pid, input.ends[1], output.ends[0], start));
    input.ends[1] = output.ends[0] = -1;
    return peer;
}

Peer::~Peer() {
    close(input_);
    close(output_);
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

void Peer::tell(const std::string& line) {
    std::string text = line + "\n"; // shorter than a pipe's buffer; if nobody reads, `hear` reports it
    for (size_t at = 0; at < text.size();) {
        ssize_t done = write(input_, text.data() + at, text.size() - at);
        if (done < 0 && errno != EINTR) return;
        if (done > 0) at += size_t(done);
    }
}

std::optional<std::string> Peer::hear(double seconds, std::string& error) {
    double end = clock_seconds() + seconds;
    for (;;) {
        if (size_t at = heard_.find('\n'); at != heard_.npos) {
            std::string line = heard_.substr(0, at);
            heard_.erase(0, at + 1);
            return line;
        }
        if (heard_.size() > longest_line) {
            error = fmt::format("prints too long a line: `{}..`", heard_.substr(0, 40));
            return std::nullopt;
        }
        double left = end - clock_seconds();
        pollfd descriptors[] = {{output_, POLLIN, 0}, {interrupts_ ? interrupts_->descriptor() : -1, POLLIN, 0}};
        int ready = left > 0 ? poll(descriptors, 2, int(std::min(left, 3600.0) * 1000) + 1) : 0;
        if (ready > 0 && descriptors[1].revents) {
            error = "was interrupted";
            return std::nullopt;
        }
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0 && clock_seconds() < end) continue;
        if (ready <= 0) {
            error = fmt::format("does not answer within {:g} s", seconds);
            return std::nullopt;
        }
        char bytes[4096];
        ssize_t got = read(output_, bytes, sizeof bytes);
        if (got > 0) heard_.append(bytes, size_t(got));
        if (got > 0 || (got < 0 && errno == EINTR)) continue;
        error = end_text();
        return std::nullopt;
    }
}

/// Called when its output has ended: waits up to two seconds for its exit code, and adds its last line of errors.
std::string Peer::end_text() {
    int status = 0;
    for (int turn = 0; turn < 200; ++turn) {
        if (waitpid(pid_, &status, WNOHANG) == pid_) break;
        if (turn == 199) return "closed its output";
        usleep(10'000);
    }
    pid_ = -1;
    std::string told = last_line(errors_);
    return (WIFSIGNALED(status) ? fmt::format("was killed by signal {}", WTERMSIG(status))
                                : fmt::format("ended with exit code {}", WEXITSTATUS(status))) +
           (told.empty() ? "" : ": " + told);
}

int64_t Peer::peak_memory() const {
    std::ifstream status(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(status, line);)
        if (line.rfind("VmHWM:", 0) == 0) return 1024 * std::strtoll(line.c_str() + 6, nullptr, 10);
    return 0;
}

} // namespace gradc
