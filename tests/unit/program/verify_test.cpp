// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each rule of the loop IR, violated once: the verifier names it. And the text of a small module.
#include "../target/builder.h"
#include "compiler/program/print.h"
#include "compiler/program/verify.h"
#include <catch2/catch.hpp>

using namespace gradc;
using namespace gradc::loop;

namespace {

const ValueType f32{Dtype::f32, 1}, vector{Dtype::f32, 4};

/// A module of one kernel and one f32 buffer of 16 elements.
Module module_of(const std::function<void(KernelBuilder&)>& make) {
    Module module;
    module.name = "small";
    module.batch = 4;
    add_buffer(module, "x", Dtype::f32, {rows, 4}, Buffer::Role::field);
    KernelBuilder build("kernel", {0, 1, 1});
    make(build);
    Program program;
    program.name = "train.step";
    program.kernels.push_back(build.done());
    program.table = {{Step::Kind::kernel, 0, 0, false}};
    module.programs.emplace_back()[0] = std::move(program);
    return module;
}

struct Row {
    const char* what;
    std::function<void(KernelBuilder&)> make;
};

void check_all(const std::vector<Row>& table) {
    for (const Row& row : table) {
        INFO(row.what);
        CHECK_THROWS_WITH(verify(module_of(row.make)), Catch::Contains(row.what));
    }
}

} // namespace

TEST_CASE("a violation by an operation is named") {
    check_all({
        {"used outside its scope",
         [](auto& b) {
             ValueId inside = 0;
             b.loop("i", b.index(0), b.index(4), 1, [&](ValueId) { inside = b.number(f32, 1); });
             b.same(Operation::negate, {inside});
         }},
        {"used outside its scope",
         [](auto& b) {
             ValueId late = b.value(f32);
             b.same(Operation::negate, {late});
         }},
        {"add does not fit",
         [](auto& b) { b.define(vector, Operation::add, {b.number(vector, 1), b.number(f32, 1)}); }},
        {"divide does not fit", [](auto& b) { b.same(Operation::divide, {b.index(4), b.index(2)}); }},
        {"quotient does not fit", [](auto& b) { b.same(Operation::quotient, {b.number(f32, 4), b.number(f32, 4)}); }},
        {"less does not fit", [](auto& b) { b.same(Operation::less, {b.number(f32, 4), b.number(f32, 4)}); }},
        {"select does not fit",
         [](auto& b) { b.define(f32, Operation::select, {b.number(f32, 1), b.number(f32, 1), b.number(f32, 1)}); }},
        {"splat does not fit", [](auto& b) { b.define(vector, Operation::splat, {b.number(vector, 1)}); }},
        {"extract does not fit", [](auto& b) { b.define(f32, Operation::extract, {b.number(vector, 1)}, 4); }},
        {"reduce_add does not fit",
         [](auto& b) { b.define(f32, Operation::reduce_add, {b.number({Dtype::f32, 3}, 1)}); }},
        {"reinterpret does not fit",
         [](auto& b) { b.define({Dtype::i64, 1}, Operation::reinterpret, {b.number(f32, 1)}); }},
    });
}

TEST_CASE("a violation by memory or loops is named") {
    check_all({
        {"is no index", [](auto& b) { b.load(0, f32, {0, {{b.number(f32, 1), 1}}}); }},
        {"another element type", [](auto& b) { b.load(0, {Dtype::f64, 1}, {}); }},
        {"is no mask of 4 lanes", [](auto& b) { b.load(0, vector, {}, 1, b.number({Dtype::boolean, 2}, 1)); }},
        {"wrong lane index", [](auto& b) { b.load(0, vector, {}, 1, no_value, b.number(vector, 1)); }},
        {"stored to another element type", [](auto& b) { b.store(0, {}, b.number({Dtype::f64, 1}, 1)); }},
        {"stride 0", [](auto& b) { b.store(0, {}, b.number(vector, 1), no_value, 0); }},
        {"buffer 7 does not exist", [](auto& b) { b.store(7, {}, b.number(vector, 1)); }},
        {"bounds are no indices", [](auto& b) { b.loop("i", b.number(f32, 0), b.index(4), 1, [](ValueId) {}); }},
        {"changes its type",
         [](auto& b) {
             b.carried("i", b.index(0), b.index(4), 1, {b.number(f32, 0)},
                       [&](ValueId, auto&) { return std::vector<ValueId>{b.number(vector, 0)}; });
         }},
    });
}

TEST_CASE("invalid buffers and tables are named") {
    auto good = [] { return module_of([](auto& b) { b.store(0, {}, b.number(vector, 1)); }); };
    CHECK_NOTHROW(verify(good()));
    Module shifted = good();
    shifted.buffers[0].offset = 4;
    CHECK_THROWS_WITH(verify(shifted), Catch::Contains("multiple of 64"));
    Module outside = good();
    outside.arena_bytes = 8;
    CHECK_THROWS_WITH(verify(outside), Catch::Contains("inside the arena"));
    Module unfilled = good();
    unfilled.buffers[0].role = Buffer::Role::constant;
    CHECK_THROWS_WITH(verify(unfilled), Catch::Contains("do not fill"));
    Module open = good();
    open.programs[0][0]->table.push_back({Step::Kind::loop_begin, 0, 2, false});
    CHECK_THROWS_WITH(verify(open), Catch::Contains("does not end"));
    Module closed = good();
    closed.programs[0][0]->table.push_back({Step::Kind::loop_end, 0, 0, false});
    CHECK_THROWS_WITH(verify(closed), Catch::Contains("before it begins"));
    Module missing = good();
    missing.programs[0][0]->table[0].kernel = 3;
    CHECK_THROWS_WITH(verify(missing), Catch::Contains("no kernel"));
    Module different = good();
    different.programs[0][1] = different.programs[0][0];
    different.programs[0][1]->table.clear();
    CHECK_THROWS_WITH(verify(different), Catch::Contains("differs between machines"));
    Module nowhere = good();
    nowhere.programs[0][0].reset();
    CHECK_THROWS_WITH(verify(nowhere), Catch::Contains("no machine"));
}

TEST_CASE("a kernel's text") {
    Module module = module_of([](KernelBuilder& b) {
        b.kernel.comments = {"y = sum(x)"};
        ValueId zero = b.index(0), end = b.leaf(Operation::row_count), start = b.number(vector, 0);
        auto sums = b.carried("k", zero, end, 4, {start}, [&](ValueId k, const std::vector<ValueId>& phis) {
            ValueId mask = b.define({Dtype::boolean, 4}, Operation::lane_mask, {k});
            ValueId x = b.load(0, vector, {-1, {{k, 4}}}, 2, mask);
            return std::vector<ValueId>{b.same(Operation::add, {phis[0], x})};
        });
        b.store(0, {}, b.define(f32, Operation::reduce_add, {sums[0]}));
    });
    verify(module);
    CHECK(print(module, module.programs[0][0]->kernels[0]) == "kernel kernel: extent 0 + ceil(rows * 1 / 1), grain 1\n"
                                                              "  # y = sum(x)\n"
                                                              "  %0: i64 = literal 0\n"
                                                              "  %1: i64 = row_count\n"
                                                              "  %2: f32 x 4 = literal 0\n"
                                                              "  for %k.3 = %0 .. %1 by 4 {\n"
                                                              "    carry %4: f32 x 4 = %2, then %7\n"
                                                              "    %5: bool x 4 = lane_mask %k.3\n"
                                                              "    %6: f32 x 4 = load x[4*%k.3 - 1 by 2] where %5\n"
                                                              "    %7: f32 x 4 = add %4 %6\n"
                                                              "  } -> %8\n"
                                                              "  %9: f32 = reduce_add %8\n"
                                                              "  store x[0] = %9\n");
}
