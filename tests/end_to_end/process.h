// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Child processes for tests: a shell command in a folder, its output and exit code, with a time limit. And a scratch
// folder that looks like the root of the tree: examples/ beside build/gradc.
#pragma once
#include <filesystem>
#include <string>

namespace end_to_end {

struct Outcome {
    int code = -1;          // exit code; 128 + signal if a signal ended it, as in a shell
    bool timed_out = false; // killed because it ran too long
    std::string out, err;   // err is empty if both went to out
    double seconds = 0;
};

struct Launch {
    std::string folder = ".";
    double limit = 300;           // seconds until SIGKILL to the whole group: that is a failure
    bool joined = false;          // stdout and stderr both into `out`, in the order written
    double signal_after = -1;     // seconds until `signal` is sent to the group: that is part of the test
    std::string signal_when = ""; // or as soon as this file is in the folder
    int signal = 0;
};

/// Runs `command` by /bin/sh with an empty standard input.
Outcome run(const std::string& command, const Launch& launch = {});

/// A new folder under the system's temporary one, removed at the end.
class Scratch {
public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// `build/gradc` and `examples` as in the root of the tree.
    void link_tree(const std::string& gradc, const std::string& source);
    std::string write(const std::string& name, const std::string& text) const; // returns the full path
    std::string read(const std::string& name) const;                           // "" if there is none

private:
    std::filesystem::path path_;
};

/// A text in single quotes for the shell.
std::string quoted(const std::string& text);

} // namespace end_to_end
