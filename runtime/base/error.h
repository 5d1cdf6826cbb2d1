// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a function of the runtime says that it failed: it fills the Fault it was given and returns
// nothing. The exit codes are those of the trainer and of gradc alike.
#pragma once
#include "runtime/base/text.h"

namespace gradc::runtime {

enum ExitCode {
    done = 0,
    input_error = 1,
    wrong_usage = 2,
    stopped_by_nan = 3,
    internal_error = 70,
    interrupted = 130
};

/// Keeps the first fault. What sets it returns false, so that a function can `return
/// fault.fail(..)`.
struct Error {
    std::string message; // one line, or several where names and shapes are listed; no newline at the end
    ExitCode code = done;

    explicit operator bool() const { return code != done; }
    bool set(std::string_view what, ExitCode how = input_error);
    /// The parts as in text().
    template <class... Parts> bool fail_as(ExitCode how, const Parts&... parts) {
        const Piece pieces[] = {Piece(parts)...};
        return set(how, pieces, sizeof...(parts));
    }
    template <class... Parts> bool fail(const Parts&... parts) { return fail_as(input_error, parts...); }

private:
    bool set(ExitCode how, const Piece* pieces, size_t count);
};

} // namespace gradc::runtime
