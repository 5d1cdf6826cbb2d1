// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels with equal code are one function of the object. Any difference in the code makes another function.
#include "compiler/program/alike.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "tests/unit/target/programs.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

/// The test module with its first program twice; the second one's kernels have other names.
loop::TestModule twins() {
    loop::TestModule test = loop::test_module();
    auto twin = test.module.programs[0];
    for (auto& version : twin) {
        version->name = "twin";
        for (loop::Kernel& kernel : version->kernels) {
            kernel.name += "_again";
            kernel.comments.push_back("the same once more");
            for (std::string& name : kernel.names) name.clear();
        }
    }
    test.module.programs.push_back(twin);
    return test;
}

loop::Kernel& twin_kernel(loop::TestModule& test, loop::Isa isa) {
    return test.module.programs.back()[size_t(isa)]->kernels[0];
}

/// The first load or store at the top of the kernel or in its loops.
template <class Node> Node* first(loop::Body& body) {
    for (loop::Statement& statement : body) {
        if (auto* node = std::get_if<Node>(&statement.node)) return node;
        if (auto* loop = std::get_if<loop::Loop>(&statement.node))
            if (auto* node = first<Node>(loop->body)) return node;
    }
    return nullptr;
}

} // namespace

TEST_CASE("kernels with the same code are one function for each machine") {
    loop::TestModule test = twins();
    loop::mark_alike(test.module);
    int last = int(test.module.programs.size()) - 1;
    for (const auto& version : test.module.programs.back()) {
        REQUIRE(version->kernels[0].same_as);
        CHECK(version->kernels[0].same_as->program == 0);
    }
    CHECK(!test.module.programs[0][0]->kernels[0].same_as);
    target::Engine engine = target::load_object(target::object(test.module, test.metadata));
    const gradc_kernel& kernel = engine.module().programs[0].kernels[0];
    const gradc_kernel& again = engine.module().programs[last].kernels[0];
    for (int isa = 0; isa < GRADC_ISA_COUNT; ++isa) CHECK(kernel.functions[isa] == again.functions[isa]);
    CHECK(kernel.functions[GRADC_BASELINE] != kernel.functions[GRADC_AVX2]);
    CHECK(std::string(again.name) == std::string(kernel.name) + "_again");
}

TEST_CASE("another place, stride or mask is other code") {
    auto alike = [](auto change) {
        loop::TestModule test = twins();
        loop::Kernel& kernel = twin_kernel(test, loop::Isa::avx2);
        change(test.module, *first<loop::Load>(kernel.body), *first<loop::Store>(kernel.body));
        loop::mark_alike(test.module);
        return kernel.same_as.has_value();
    };
    CHECK(alike([](loop::Module&, loop::Load&, loop::Store&) {}));
    CHECK(!alike([](loop::Module&, loop::Load& load, loop::Store&) { load.element.constant += 1; }));
    CHECK(!alike([](loop::Module&, loop::Load& load, loop::Store&) { load.stride += 1; }));
    CHECK(!alike([](loop::Module&, loop::Load& load, loop::Store&) { load.wanted = load.result; }));
    CHECK(!alike([](loop::Module& module, loop::Load&, loop::Store& store) {
        module.buffers.push_back(module.buffers[store.buffer]);
        module.buffers.back().offset += 64;
        store.buffer = loop::BufferId(module.buffers.size() - 1);
    }));
    CHECK(alike([](loop::Module& module, loop::Load&, loop::Store& store) { // under another name in the same place
        module.buffers.push_back(module.buffers[store.buffer]);
        module.buffers.back().name = "elsewhere";
        store.buffer = loop::BufferId(module.buffers.size() - 1);
    }));
}
