// How a function of the runtime says that it failed: it fills the Fault it was given and returns nothing. The exit codes
// are those of the trainer and of gradc alike.
#pragma once
#include <string>

namespace gradc::runtime {

enum ExitCode { done = 0, input_at_fault = 1, wrong_usage = 2, stopped_by_nan = 3, internal_error = 70, interrupted = 130 };

struct Fault {
    std::string message; // one line, or several where names and shapes are listed; no newline at the end
    ExitCode code = done;

    explicit operator bool() const { return code != done; }
    /// Keeps the first fault; returns false, so that a function can `return fault.set(..)`.
    bool set(std::string what, ExitCode how = input_at_fault) {
        if (code == done) message = std::move(what), code = how;
        return false;
    }
};

} // namespace gradc::runtime
