// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The writer of formulas stops at a fixed depth: deeper parts are printed as "..".
#include "compiler/explain/notation.h"
#include "compiler/graph/build.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("a chain of 20,000 nodes is written as far as anyone would read it") {
    Graph graph(std::make_shared<PrimitiveTable>());
    NodeId x = build::variable(graph, "x", {Dtype::f32, {3}}), h = x;
    SECTION("one after the other") {
        for (int i = 0; i < 20'000; ++i)
            h = build::elementwise(graph, i % 2 ? Primitive::subtract : Primitive::maximum, {x, h});
    }
    SECTION("each read twice by the next") {
        for (int i = 0; i < 10'000; ++i)
            h = build::elementwise(graph, Primitive::multiply, {build::elementwise(graph, Primitive::add, {h, x}), h});
    }
    std::string text = textbook_formula(graph, h, {});
    CHECK(text.find("..") != text.npos);
    CHECK(text.size() < 1'000'000);
}
