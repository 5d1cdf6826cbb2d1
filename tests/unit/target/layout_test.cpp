// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Positions of elements, conversion of numbers, alignment of addresses.
#include "compiler/target/cpp/names.h"
#include "compiler/target/layout.h"
#include "compiler/target/llvm/divisor.h"
#include "tests/unit/target/builder.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc;
using namespace gradc::target;

TEST_CASE("panels hold groups of adjacent columns") {
    Layout panels{Dtype::f32, {2, 3, 5}, {24, 1, 1}, 4}; // [2, K = 3, N = 5], panels of 4: 2 panels of 3 x 4
    CHECK(element_offset(panels, {0, 0, 0}) == 0);
    CHECK(element_offset(panels, {0, 0, 3}) == 3);
    CHECK(element_offset(panels, {0, 2, 3}) == 11);
    CHECK(element_offset(panels, {0, 0, 4}) == 12); // the second panel
    CHECK(element_offset(panels, {1, 2, 4}) == 24 + 12 + 8);
    Layout plain{Dtype::f32, {2, 3}, {19, 2}, 0};
    CHECK(element_offset(plain, {1, 2}) == 23);
}

TEST_CASE("packing leaves zeros in gaps") {
    Layout padded{Dtype::f32, {2, 2}, {3, 1}, 0};
    std::string bytes = pack(padded, {1, 2, 3, 4});
    REQUIRE(bytes.size() == 20);
    const float expected[] = {1, 2, 0, 3, 4};
    CHECK(bytes == std::string(reinterpret_cast<const char*>(expected), sizeof expected));
    CHECK(pack({Dtype::f64, {}, {}, 0}, {7}).size() == 8);
    CHECK_THROWS(pack(padded, {1, 2, 3}));
}

TEST_CASE("numbers round to their element type and come back") {
    struct Row {
        Dtype dtype;
        double written, read;
    };
    const Row rows[] = {{Dtype::f32, 0.1, double(0.1f)},
                        {Dtype::f64, 0.1, 0.1},
                        {Dtype::i32, -7, -7},
                        {Dtype::i64, 1e15, 1e15},
                        {Dtype::u8, 255, 255},
                        {Dtype::boolean, 3, 1},
                        {Dtype::bf16, 1.0 + 0x1p-8, 1},
                        {Dtype::bf16, 1.0 + 3 * 0x1p-8, 1 + 0x1p-6},
                        {Dtype::bf16, INFINITY, INFINITY}};
    for (const Row& row : rows) {
        unsigned char memory[8] = {};
        write_number(memory, row.dtype, row.written);
        CHECK(read_number(memory, row.dtype) == row.read);
    }
    unsigned char memory[8] = {};
    write_number(memory, Dtype::bf16, NAN);
    CHECK(std::isnan(read_number(memory, Dtype::bf16)));
}

TEST_CASE("alignment follows from the divisors of indices") {
    loop::KernelBuilder build("align", {});
    loop::ValueId end = build.index(64), begin = build.leaf(loop::Operation::range_begin), i = 0, j = 0, k = 0;
    build.loop("i", build.index(0), end, 16, [&](loop::ValueId index) { i = index; });
    build.loop("j", build.index(8), end, 12, [&](loop::ValueId index) { j = index; });
    build.loop("k", begin, end, 16, [&](loop::ValueId index) { k = index; });
    loop::ValueId scaled = build.same(loop::Operation::multiply, {begin, build.index(32)});
    loop::Kernel kernel = build.done();
    std::vector<int64_t> known = divisors(kernel);
    CHECK((known[i] == 16 && known[j] == 4 && known[k] == 1 && known[scaled] == 32));
    loop::Buffer buffer;
    buffer.dtype = Dtype::f32, buffer.offset = 128;
    CHECK(alignment(buffer, {0, {{i, 1}}}, known) == 64);
    CHECK(alignment(buffer, {0, {{j, 1}}}, known) == 16);
    CHECK(alignment(buffer, {3, {{i, 1}}}, known) == 4);
    CHECK(alignment(buffer, {16, {{scaled, 1}, {k, 16}}}, known) == 64);
    CHECK(alignment(buffer, {0, {{k, 272}}}, known) == 64);
    CHECK(alignment(buffer, {0, {{k, 6}}}, known) == 8);
}

TEST_CASE("names and numbers are valid C++") {
    Names names;
    CHECK(names.fresh("mlp.linear_1.weight") == "mlp_linear_1_weight");
    CHECK(names.fresh("double") == "double_1");
    CHECK(names.fresh("x") == "x");
    CHECK(names.fresh("x") == "x_1");
    CHECK(names.fresh("f32x16") == "f32x16_1");
    CHECK(names.fresh("gather") == "gather_1"); // a function of the text
    CHECK(names.fresh("INT32_MAX") == "int32_max");
    CHECK(names.fresh("größe") == "gr_e");
    CHECK(names.fresh("#row") == "row");
    CHECK(names.fresh("7") == "v7");
    CHECK(names.numbered("t") == "t1");
    CHECK(number(0.1, Dtype::f32) == "0.1f");
    CHECK(number(0.1, Dtype::f64) == "0.1");
    CHECK(number(1, Dtype::f32) == "1.0f");
    CHECK(number(-INFINITY, Dtype::f32) == "-__builtin_inff()");
    CHECK(number(1e30, Dtype::f64) == "1e+30");
    CHECK(integer_number(INT64_MIN, Dtype::i64) == "(-9223372036854775807L - 1)");
    CHECK(integer_number(1L << 40, Dtype::i64) == "1099511627776L");
    CHECK(quoted("a\"\\\n?") == "\"a\\\"\\\\\\n\\077\"");
}
