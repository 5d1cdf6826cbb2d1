// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A chain of 2,000 nodes from its plan through lowering to both texts.
#include "compiler/graph/build.h"
#include "compiler/plan/plan.h"
#include "compiler/target/compile.h"
#include "tests/support/agreement.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("a chain of 2,000 nodes is lowered and printed as C++ and LLVM IR") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = graph.add(Op::input, {Dtype::f32, {rows, 4}}, {}, Input{Input::Source::field, "x", 0, -1}), h = x;
    for (int i = 0; i < 2000; ++i)
        h = build::elementwise(graph, i % 2 ? Primitive::subtract : Primitive::maximum, {x, h});
    graph.outputs = {{"y", h}};
    Plan plan = make_plan({{"p", std::move(graph)}}, {"m", 8});
    loop::Module module = lower(plan, {loop::Isa::avx2}, NoMath());
    loop::verify(module);
    size_t lines = 0;
    for (const std::string& kernel : target::print_cpp_kernels(module, 0, loop::Isa::avx2))
        lines += size_t(std::count(kernel.begin(), kernel.end(), '\n'));
    CHECK(lines > 100);
    CHECK(target::print_llvm(module, loop::Isa::avx2).find("fsub") != std::string::npos);
}
