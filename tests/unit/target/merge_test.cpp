// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels with equal code are one function of the object; one that differs in anything else than the places of its
// buffers is another.
#include "compiler/program/code.h"
#include "compiler/program/merge.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "compiler/target/machine.h"
#include "tests/unit/target/compare.h"
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
    loop::merge_kernels(test.module);
    int last = int(test.module.programs.size()) - 1;
    for (const auto& version : test.module.programs.back()) {
        REQUIRE(version->kernels[0].same_as);
        CHECK(version->kernels[0].same_as->program == 0);
    }
    CHECK(!test.module.programs[0][0]->kernels[0].same_as);
    target::Engine engine = target::load_object(target::object(test.module, test.metadata));
    const gradc_kernel& kernel = engine.module().programs[0].kernels[0];
    const gradc_kernel& again = engine.module().programs[last].kernels[0];
    for (int isa = 0; isa < GRADC_ISA_COUNT; ++isa) CHECK(kernel.code->functions[isa] == again.code->functions[isa]);
    CHECK(kernel.code->functions[GRADC_BASELINE] != kernel.code->functions[GRADC_AVX2]);
    CHECK(std::string(again.name) == std::string(kernel.name) + "_again");
}

TEST_CASE("another element, stride or set of wanted lanes is another code") {
    auto alike = [](auto change) {
        loop::TestModule test = twins();
        loop::Kernel& kernel = twin_kernel(test, loop::Isa::avx2);
        change(test.module, *first<loop::Load>(kernel.body), *first<loop::Store>(kernel.body));
        loop::merge_kernels(test.module);
        return kernel.same_as.has_value();
    };
    CHECK(alike([](loop::Module&, loop::Load&, loop::Store&) {}));
    CHECK(!alike([](loop::Module&, loop::Load& load, loop::Store&) { load.element.constant += 1; }));
    CHECK(!alike([](loop::Module&, loop::Load& load, loop::Store&) { load.stride += 1; }));
    CHECK(!alike([](loop::Module&, loop::Load& load, loop::Store&) { load.wanted = load.result; }));
}

namespace {

/// Twins of which the second has buffers of its own, at other places.
loop::TestModule moved_twins() {
    loop::TestModule test = twins();
    std::map<loop::BufferId, loop::BufferId> moved;
    for (auto& version : test.module.programs.back())
        for (loop::Kernel& kernel : version->kernels) {
            for (loop::BufferId id : loop::buffers_in(kernel.body)) {
                if (moved.count(id)) continue;
                loop::Buffer copy = test.module.buffers[id];
                copy.name += "_again";
                copy.offset = (test.module.arena_bytes + 127) / 64 * 64;
                test.module.arena_bytes = copy.offset + copy.size + 64;
                moved[id] = loop::BufferId(test.module.buffers.size());
                test.metadata.tensors.push_back({copy.name, copy.name, GRADC_FIELD, moved[id]});
                test.module.buffers.push_back(std::move(copy));
            }
            loop::Kernel before = kernel;
            kernel.same_as = loop::KernelNumber{};
            kernel.buffers.clear();
            for (loop::BufferId id : loop::buffers_in(before.body)) kernel.buffers.push_back(moved.at(id));
            loop::Module one;
            one.programs.emplace_back()[0].emplace().kernels = {before};
            kernel = loop::expanded(one, loop::Isa::baseline, kernel);
        }
    loop::Case again = test.cases[0];
    again.program = "twin";
    for (auto* values : {&again.inputs, &again.expected}) {
        std::map<std::string, std::vector<double>> renamed;
        for (auto& [name, numbers] : *values) renamed[name + "_again"] = numbers;
        *values = renamed;
    }
    test.cases = {test.cases[0], again};
    return test;
}

} // namespace

TEST_CASE("kernels at other places are one function that takes arguments") {
    loop::TestModule test = moved_twins();
    REQUIRE(test.module.programs[0][0]->name == test.cases[0].program);
    loop::merge_kernels(test.module);
    CHECK(twin_kernel(test, loop::Isa::avx2).same_as);
    CHECK(test.module.programs[0][size_t(loop::Isa::avx2)]->kernels[0].takes_arguments);
    target::Engine engine = target::load_object(target::object(test.module, test.metadata));
    const gradc_kernel& kernel = engine.module().programs[0].kernels[0];
    const gradc_kernel& again = engine.module().programs[int(test.module.programs.size()) - 1].kernels[0];
    for (int isa = 0; isa < GRADC_ISA_COUNT; ++isa) {
        CHECK(kernel.code->functions[isa] == again.code->functions[isa]);
        CHECK(kernel.arguments[isa * kernel.argument_distance] != again.arguments[isa * again.argument_distance]);
    }
    for (loop::Isa isa : target::host_isas())
        for (const loop::Case& entry : test.cases) loop::compare(engine, entry, isa);
}

TEST_CASE("arguments make up for places and for nothing else") {
    auto alike = [](auto change) {
        loop::TestModule test = moved_twins();
        loop::Kernel& kernel = twin_kernel(test, loop::Isa::avx2);
        change(test.module, kernel, *first<loop::Load>(kernel.body), *first<loop::Store>(kernel.body));
        loop::merge_kernels(test.module);
        return kernel.same_as.has_value();
    };
    using loop::Kernel, loop::Load, loop::Module, loop::Store;
    CHECK(alike([](Module&, Kernel&, Load&, Store&) {}));
    CHECK(alike([](Module& module, Kernel&, Load&, Store& store) { module.buffers[store.buffer].offset += 64; }));
    CHECK(!alike([](Module& module, Kernel&, Load& load, Store& store) { // the code may rely on buffers lying apart
        module.buffers[store.buffer].offset = module.buffers[load.buffer].offset;
    }));
    CHECK(!alike([](Module&, Kernel&, Load&, Store& store) { store.element.constant += 1; })); // aligned otherwise
    CHECK(!alike([](Module&, Kernel&, Load&, Store& store) {
        if (store.element.terms.empty()) store.stride += 1;
        else store.element.terms[0].second += 1;
    }));
    CHECK(!alike([](Module& module, Kernel&, Load&, Store& store) {
        module.buffers[store.buffer].dtype = module.buffers[store.buffer].dtype == Dtype::f32 ? Dtype::i32 : Dtype::f32;
    }));
    CHECK(!alike([](Module&, Kernel&, Load& load, Store& store) { store.buffer = load.buffer; }));
}
