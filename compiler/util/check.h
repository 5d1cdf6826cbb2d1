// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Internal errors: a broken promise of the compiler itself, never of the user. Caught in main, which names the pass,
// asks for a report and exits 70. Beside them what the machine refuses (files, processes, memory): exit code 1.
#pragma once
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace gradc {

struct InternalError : std::runtime_error {
    std::string pass;
    InternalError(std::string pass, const std::string& message) : std::runtime_error(message), pass(std::move(pass)) {}
};

struct MachineError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Throws MachineError with the system's own reason unless `holds`: right after the call that failed.
inline void check_machine(bool holds, const std::string& what) {
    if (!holds) throw MachineError(what + ": " + std::strerror(errno));
}

/// Throws InternalError unless `holds`.
inline void check(bool holds, const char* pass, const char* message) {
    if (!holds) throw InternalError(pass, message);
}
inline void check(bool holds, const char* pass, const std::string& message) {
    if (!holds) throw InternalError(pass, message);
}

} // namespace gradc
