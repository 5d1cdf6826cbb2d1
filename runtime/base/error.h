// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Errors of the runtime: a function that fails fills the Error that it was given and returns false or nothing. The exit
// codes are those of the trainer and of gradc.
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

/// Keeps the first error. The functions that set it return false, so that a caller can `return error.fail(..)`.
struct Error {
    std::string message; // one line, or several that list names and shapes; no newline at the end
    ExitCode code = done;

    explicit operator bool() const { return code != done; }
    bool set(std::string_view what, ExitCode how = input_error);
    /// The parts are joined as in text().
    template <class... Parts> bool fail_as(ExitCode how, const Parts&... parts) {
        const Piece pieces[] = {Piece(parts)...};
        return set(how, pieces, sizeof...(parts));
    }
    template <class... Parts> bool fail(const Parts&... parts) { return fail_as(input_error, parts...); }

private:
    bool set(ExitCode how, const Piece* pieces, size_t count);
};

} // namespace gradc::runtime
