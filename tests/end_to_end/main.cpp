// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Catch2's main, with exit code 77 if data are missing, which ctest counts as skipped.
#define CATCH_CONFIG_RUNNER
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cstdio>

namespace end_to_end {
namespace {
bool& any_skipped() {
    static bool skipped = false;
    return skipped;
}
} // namespace

void skip(const std::string& what) {
    std::printf("skipped: %s\n", what.c_str());
    any_skipped() = true;
}
} // namespace end_to_end

int main(int argc, char** argv) {
    int failed = Catch::Session().run(argc, argv);
    if (failed) return failed;
    return end_to_end::any_skipped() ? 77 : 0;
}
