// Internal errors: a broken promise of the compiler itself, never of the user. Caught in main, which names the pass,
// asks for a report and exits 70.
#pragma once
#include <stdexcept>
#include <string>

namespace gradc {

struct InternalError : std::runtime_error {
    std::string pass;
    InternalError(std::string pass, const std::string& message) : std::runtime_error(message), pass(std::move(pass)) {}
};

/// Throws InternalError unless `holds`.
inline void check(bool holds, const char* pass, const char* message) {
    if (!holds) throw InternalError(pass, message);
}
inline void check(bool holds, const char* pass, const std::string& message) {
    if (!holds) throw InternalError(pass, message);
}

} // namespace gradc
