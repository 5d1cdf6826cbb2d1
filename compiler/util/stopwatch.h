// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Seconds on the monotonic clock since construction.
#pragma once
#include <chrono>

namespace gradc {

class Stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace gradc
