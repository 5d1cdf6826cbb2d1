// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs through the C++ text and each installed compiler, on each instruction set of this machine.
#include "compiler/target/compile.h"
#include "compiler/target/machine.h"
#include "tests/unit/target/compare.h"
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

using namespace gradc;

TEST_CASE("the C++ text computes what the loop IR says, with every compiler and on each ISA of "
          "this machine") {
    loop::TestModule test = loop::test_module();
    std::string text = target::print_cpp(test.module, test.metadata);
    CHECK(text == target::print_cpp(test.module, test.metadata));
    if (const char* path = std::getenv("GRADC_KEEP_TEXT")) std::ofstream(path) << text;
    for (const std::string& compiler : target::find_compilers()) {
        std::string error;
        std::optional<target::Engine> engine = target::load_cpp(text, compiler, error);
        INFO(compiler << ": " << error);
        REQUIRE(engine);
        for (loop::Isa isa : target::host_isas())
            for (const loop::Case& entry : test.cases) loop::compare(*engine, entry, isa);
    }
}

TEST_CASE("the C++ text also compiles for this machine") {
    loop::TestModule test = loop::test_module();
    std::string text = target::print_cpp(test.module, test.metadata);
    for (const std::string& compiler : target::find_compilers()) {
        std::string error;
        // warnings of a compiler about its own choice of features do not count here
        if (!target::load_cpp("extern \"C\" const int gradc_module_table = 1;\n", compiler, error, {"-march=native"}) &&
            error.find("error") != std::string::npos)
            continue;
        std::optional<target::Engine> engine = target::load_cpp(text, compiler, error, {"-march=native"});
        INFO(compiler << ": " << error);
        REQUIRE(engine);
        for (loop::Isa isa : target::host_isas())
            for (const loop::Case& entry : test.cases) loop::compare(*engine, entry, isa);
    }
}
