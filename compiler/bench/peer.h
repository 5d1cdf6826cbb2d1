// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A child process that reads and answers lines through two pipes. It ends with its Peer object, and with this process.
// Its standard error goes to a file.
#pragma once
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradc {

/// While it lives, SIGINT, SIGTERM and SIGHUP do not end this process but interrupt `Peer::hear`. One at a time.
class Interrupts {
public:
    Interrupts();
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    /// True after the first such signal.
    bool arrived() const;
    /// Readable after the first such signal; owned by this object.
    int descriptor() const { return descriptor_; }

private:
    sigset_t before_;
    int descriptor_;
};

/// How to start a child process.
struct PeerStart {
    std::vector<std::string> words;         // the program, searched in PATH, and its arguments
    std::vector<std::string> environment;   // NAME=VALUE, added to the environment of this process
    std::vector<int> cores;                 // it runs on these alone; empty: on any
    std::string errors;                     // path of the file for its standard error, which is overwritten
    const Interrupts* interrupts = nullptr; // not owned; must outlive the peer
};

class Peer {
public:
    /// Null if it cannot be started; `error` then has the reason.
    static std::unique_ptr<Peer> start(const PeerStart&, std::string& error);
    /// Kills the process and waits for its end.
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    /// Writes a line; `line` has no line end. If nobody reads it, the next `hear` fails.
    void tell(const std::string& line);
    /// The next line, without its end. Absent if none comes within `seconds`, if the process ends, if a line passes a
    /// megabyte, and after an interrupt; `error` then has the reason.
    std::optional<std::string> hear(double seconds, std::string& error);
    /// The largest resident memory so far, in bytes; 0 if unknown.
    int64_t peak_memory() const;

private:
    Peer(int pid, int input, int output, const PeerStart& start)
        : pid_(pid), input_(input), output_(output), errors_(start.errors), interrupts_(start.interrupts) {}
    std::string end_text();

    int pid_, input_, output_;
    std::string errors_, heard_;
    const Interrupts* interrupts_;
};

/// The cores that this process may run on.
std::vector<int> allowed_cores();

} // namespace gradc
