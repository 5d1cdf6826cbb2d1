// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program on the other side of two pipes, spoken to in lines. It never outlives its Partner, nor this process; its
// standard error goes to a file.
#pragma once
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradc {

/// While it lives, SIGINT, SIGTERM and SIGHUP end nothing but the listening to partners.
class Interrupts {
public:
    Interrupts();
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    bool arrived() const;
    int descriptor() const { return descriptor_; } // readable when one arrived

private:
    sigset_t before_;
    int descriptor_;
};

struct PeerStart {
    std::vector<std::string> words;       // the program, sought in PATH, and its arguments
    std::vector<std::string> environment; // NAME=VALUE, beside our own
    std::vector<int> cores;               // it runs on these alone; empty: anywhere
    std::string errors;                   // file for its standard error
    const Interrupts* interrupts = nullptr;
};

class Peer {
public:
    /// Null where it cannot be started; `fault` tells why.
    static std::unique_ptr<Peer> start(const PeerStart&, std::string& error);
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    void tell(const std::string& line);
    /// The next line without its end. Absent when it stays silent for so long, ends, or says no line, and after an
    /// interrupt; `fault` tells which.
    std::optional<std::string> hear(double seconds, std::string& error);
    /// Most bytes of memory that it ever held; 0 if unknown.
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
