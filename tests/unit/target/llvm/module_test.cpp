// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs through LLVM on each instruction set of this machine, compared with plain computation.
#include "compiler/program/print.h"
#include "compiler/program/verify.h"
#include "compiler/target/compile.h"
#include "compiler/target/machine.h"
#include "tests/unit/target/compare.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("LLVM computes what the loop IR says, on each ISA of this machine") {
    loop::TestModule test = loop::test_module();
    loop::verify(test.module);
    target::Engine engine = target::load_object(target::object(test.module, test.metadata));
    for (loop::Isa isa : target::host_isas())
        for (const loop::Case& entry : test.cases) loop::compare(engine, entry, isa);
}

TEST_CASE("the same module gives the same text and the same object") {
    loop::TestModule a = loop::test_module(), b = loop::test_module();
    CHECK(target::object(a.module, a.metadata) == target::object(b.module, b.metadata));
    for (loop::Isa isa : {loop::Isa::baseline, loop::Isa::avx512}) {
        CHECK(target::print_llvm(a.module, isa) == target::print_llvm(b.module, isa));
        CHECK(loop::print(a.module, isa) == loop::print(b.module, isa));
    }
    std::string text = target::print_llvm(a.module, loop::Isa::avx2);
    CHECK(text.find("fma.v8f32") != std::string::npos);
    CHECK(target::print_llvm(a.module, loop::Isa::baseline).find("llvm.fma") == std::string::npos);
    CHECK(target::print_assembly(a.module, loop::Isa::avx512).find("vfmadd231ps") != std::string::npos);
}
