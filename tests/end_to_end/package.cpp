// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The Debian package: made by cpack, unpacked into an empty folder, and used there.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;

TEST_CASE("the Debian package holds a compiler that works", "[package]") {
    if (run("command -v cpack dpkg-shlibdeps dpkg-deb").code != 0) return skip("cpack and the tools of dpkg-dev");
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 300};
    Outcome packed =
        run("cpack -G DEB -B . --config " + quoted(std::string(GRADC_BUILD_DIR) + "/CPackConfig.cmake"), launch);
    INFO(packed.out << packed.err);
    REQUIRE(packed.code == 0);
    Outcome control = run("dpkg-deb -f gradc_*.deb Package Depends", launch);
    for (const char* part : {"gradc", "libllvm19", "libfmt9"}) CHECK(contains(control.out, part));
    REQUIRE(run("dpkg-deb -x gradc_*.deb root", launch).code == 0);
    scratch.write("m.grad", small_model);
    Outcome built = run("root/usr/bin/gradc build m.grad -o trainer --no-cache", launch);
    INFO(built.err);
    REQUIRE(built.code == 0);
    CHECK(run("./trainer train --quiet", launch).code == 0);
}
