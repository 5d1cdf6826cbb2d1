// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One function for each program, with the loops that compute its expected result.
#include "tests/unit/target/programs.h"
#include "compiler/target/machine.h"
#include "tests/unit/target/builder.h"
#include <cmath>
#include <cstring>

namespace gradc::loop {
namespace {

using Role = Buffer::Role;
using Values = std::vector<double>;

int lanes(Isa isa, Dtype dtype) { return target::machine(isa).lanes(dtype); }

/// Numbers without a pattern that f32 holds exactly, in [-4, 4).
Values numbers(size_t count, uint32_t seed) {
    Values values;
    for (size_t i = 0; i < count; ++i) {
        seed = seed * 1664525 + 1013904223;
        values.push_back(double(seed >> 20) / 512 - 4);
    }
    return values;
}

/// One program of one kernel, for each machine.
template <class Make> void add(TestModule& test, const std::string& name, const Make& make) {
    auto& versions = test.module.programs.emplace_back();
    for (int isa = 0; isa < isa_count; ++isa) {
        Program program;
        program.name = name;
        program.kernels.push_back(make(Isa(isa)));
        program.table.push_back({});
        versions[size_t(isa)] = std::move(program);
    }
}

/// out[i] = a[i] + 2 b[i], the last vector under a mask, rows counted at run time.
void vector_add(TestModule& test) {
    Module& module = test.module;
    BufferId a = add_buffer(module, "add.a", Dtype::f32, {rows, 5}, Role::field);
    BufferId b = add_buffer(module, "add.b", Dtype::f32, {rows, 5}, Role::field);
    BufferId out = add_buffer(module, "add.out", Dtype::f32, {rows, 5}, Role::output);
    add(test, "vector_add", [=](Isa isa) {
        KernelBuilder build("add", {0, 1, 1});
        build.kernel.comments = {"out = a + 2 b", "a, b, out: f32[N, 5]"};
        ValueType vector{Dtype::f32, lanes(isa, Dtype::f32)};
        ValueId five = build.index(5);
        ValueId begin = build.same(Operation::multiply, {build.leaf(Operation::range_begin), five});
        ValueId end = build.same(Operation::multiply, {build.leaf(Operation::range_end), five});
        build.loop("i", begin, end, vector.lanes, [&](ValueId i) {
            ValueId left = build.same(Operation::subtract, {end, i});
            ValueId mask = build.define({Dtype::boolean, vector.lanes}, Operation::lane_mask, {left});
            ValueId x = build.load(a, vector, {0, {{i, 1}}}, 1, mask);
            ValueId y = build.load(b, vector, {0, {{i, 1}}}, 1, mask);
            ValueId twice = build.same(Operation::multiply, {y, build.number(vector, 2)});
            build.store(out, {0, {{i, 1}}}, build.same(Operation::add, {x, twice}), mask);
        });
        return build.done();
    });
    for (int64_t row_count : {1, 7, 9}) {
        Values x = numbers(size_t(row_count) * 5, 1), y = numbers(size_t(row_count) * 5, 2), sum;
        for (size_t i = 0; i < x.size(); ++i) sum.push_back(x[i] + 2 * y[i]);
        test.cases.push_back({"vector_add", {{"add.a", x}, {"add.b", y}}, {{"add.out", sum}}, 0, row_count});
    }
}

/// Sum, greatest and least of 64 numbers: carried vectors, then lanes joined pairwise.
void reduction(TestModule& test) {
    Module& module = test.module;
    BufferId in = add_buffer(module, "reduce.in", Dtype::f64, {64}, Role::variable);
    BufferId out = add_buffer(module, "reduce.out", Dtype::f64, {3}, Role::output);
    add(test, "reduction", [=](Isa isa) {
        KernelBuilder build("reduce", {});
        ValueType vector{Dtype::f64, lanes(isa, Dtype::f64)};
        ValueId zero = build.index(0), end = build.index(64);
        ValueId sum = build.number(vector, 0), high = build.number(vector, -INFINITY);
        ValueId low = build.number(vector, INFINITY);
        auto results = build.carried("k", zero, end, vector.lanes, {sum, high, low}, [&](ValueId k, auto& phis) {
            ValueId x = build.load(in, vector, {0, {{k, 1}}});
            return std::vector<ValueId>{build.same(Operation::add, {phis[0], x}),
                                        build.same(Operation::maximum, {phis[1], x}),
                                        build.same(Operation::minimum, {phis[2], x})};
        });
        Operation joins[] = {Operation::reduce_add, Operation::reduce_max, Operation::reduce_min};
        for (int i = 0; i < 3; ++i)
            build.store(out, {i, {}}, build.define({Dtype::f64, 1}, joins[i], {results[size_t(i)]}));
        return build.done();
    });
    Values x = numbers(64, 3);
    double sum = 0, high = x[0], low = x[0];
    for (double value : x) sum += value, high = std::max(high, value), low = std::min(low, value);
    test.cases.push_back({"reduction", {{"reduce.in", x}}, {{"reduce.out", {sum, high, low}}}, 1e-14});
}

/// c = a @ b: tiles of 4 x 2 vectors in registers over the whole reduction; b is in panels of two
/// vectors.
void product(TestModule& test) {
    constexpr int64_t m = 8, depth = 24, n = 64;
    Module& module = test.module;
    BufferId a = add_buffer(module, "product.a", Dtype::f32, {m, depth}, Role::field);
    BufferId c = add_buffer(module, "product.c", Dtype::f32, {m, n}, Role::output);
    BufferId b = add_buffer(module, "product.b", Dtype::f32, {depth, n}, Role::variable, 32);
    add(test, "product", [=](Isa isa) {
        KernelBuilder build("product", {m / 4});
        int width = std::min(16, lanes(isa, Dtype::f32));
        ValueType vector{Dtype::f32, width};
        ValueId tile = build.leaf(Operation::range_begin), last = build.leaf(Operation::range_end);
        ValueId zero = build.index(0), all = build.index(n), steps = build.index(depth);
        build.loop("tile", tile, last, 1, [&](ValueId t) {
            build.loop("column", zero, all, 2 * width, [&](ValueId column) {
                ValueId panel = build.same(Operation::quotient, {column, build.index(32)});
                ValueId inside = build.same(Operation::remainder, {column, build.index(32)});
                std::vector<ValueId> initial(8, build.number(vector, 0));
                auto sums = build.carried("k", zero, steps, 1, initial, [&](ValueId k, auto& phis) {
                    std::vector<ValueId> next = phis, y;
                    for (int j = 0; j < 2; ++j)
                        y.push_back(build.load(b, vector, {j * width, {{k, 32}, {panel, 32 * depth}, {inside, 1}}}));
                    for (int i = 0; i < 4; ++i) {
                        ValueId x = build.load(a, {Dtype::f32, 1}, {i * depth, {{k, 1}, {t, 4 * depth}}});
                        x = build.define(vector, Operation::splat, {x});
                        for (int j = 0; j < 2; ++j)
                            next[size_t(2 * i + j)] =
                                build.same(Operation::fma, {x, y[size_t(j)], phis[size_t(2 * i + j)]});
                    }
                    return next;
                });
                for (int i = 0; i < 4; ++i)
                    for (int j = 0; j < 2; ++j)
                        build.store(c, {i * n + j * width, {{t, 4 * n}, {column, 1}}}, sums[size_t(2 * i + j)]);
            });
        });
        return build.done();
    });
    Values x = numbers(m * depth, 4), y = numbers(depth * n, 5), z(m * n);
    for (size_t i = 0; i < m; ++i)
        for (size_t j = 0; j < n; ++j)
            for (size_t k = 0; k < depth; ++k) z[i * n + j] += x[i * depth + k] * y[k * n + j];
    test.cases.push_back({"product", {{"product.a", x}, {"product.b", y}}, {{"product.c", z}}, 1e-4});
}

/// Lookups by lane index, with and without a mask; strides 3, 0 and -1; a store with stride.
void lookups(TestModule& test) {
    Module& module = test.module;
    BufferId table = add_buffer(module, "lookup.table", Dtype::f32, {64}, Role::variable);
    BufferId places = add_buffer(module, "lookup.places", Dtype::i32, {16}, Role::field);
    BufferId out = add_buffer(module, "lookup.out", Dtype::f32, {5, 16}, Role::output);
    BufferId spread = add_buffer(module, "lookup.spread", Dtype::f32, {32}, Role::output);
    add(test, "lookups", [=](Isa isa) {
        KernelBuilder build("lookup", {});
        int width = lanes(isa, Dtype::f32);
        ValueType vector{Dtype::f32, width}, integer{Dtype::i32, width};
        build.loop("i", build.index(0), build.index(16), width, [&](ValueId i) {
            ValueId place = build.load(places, integer, {0, {{i, 1}}});
            ValueId even =
                build.mask(Operation::equal, build.same(Operation::remainder, {place, build.number(integer, 2)}),
                           build.number(integer, 0));
            build.store(out, {0, {{i, 1}}}, build.load(table, vector, {}, 1, no_value, place));
            build.store(out, {16, {{i, 1}}}, build.load(table, vector, {}, 1, even, place));
            build.store(out, {32, {{i, 1}}}, build.load(table, vector, {1, {{i, 3}}}, 3));
            build.store(out, {48, {{i, 1}}}, build.load(table, vector, {0, {{i, 1}}}, 0));
            ValueId backwards = build.load(table, vector, {66, {{build.index(3), -1}, {i, -1}}}, -1);
            build.store(out, {64, {{i, 1}}}, backwards);
            build.store(spread, {1, {{i, 2}}}, backwards, even, 2);
        });
        return build.done();
    });
    Values x = numbers(64, 6), places_(16), expected(80);
    for (size_t i = 0; i < 16; ++i) places_[i] = double(i * 29 % 64);
    test.cases.push_back({"lookups", {{"lookup.table", x}, {"lookup.places", places_}}, {}, 0});
    // stride 0 repeats the first of each vector, whose width the machine gives: lanes 0 only are
    // compared below
    Values spread_(32, 0);
    for (size_t i = 0; i < 16; ++i) {
        size_t place = size_t(places_[i]);
        expected[i] = x[place];
        expected[16 + i] = place % 2 ? 0 : x[place];
        expected[32 + i] = x[1 + 3 * i];
        expected[48 + i] = NAN; // any
        expected[64 + i] = x[63 - i];
        if (place % 2 == 0) spread_[1 + 2 * i] = x[63 - i];
    }
    expected[48] = x[0];
    test.cases.back().expected = {{"lookup.out", expected}, {"lookup.spread", spread_}};
}

/// Comparisons, masks with masks, selects on NaN and infinity, f32 and f64 lanes in one program.
void masks(TestModule& test) {
    Module& module = test.module;
    BufferId a = add_buffer(module, "mask.a", Dtype::f32, {16}, Role::field);
    BufferId b = add_buffer(module, "mask.b", Dtype::f32, {16}, Role::field);
    BufferId out = add_buffer(module, "mask.out", Dtype::f32, {7, 16}, Role::output);
    BufferId flags = add_buffer(module, "mask.flags", Dtype::boolean, {16}, Role::output);
    add(test, "masks", [=](Isa isa) {
        KernelBuilder build("mask", {});
        int width = std::min(8, lanes(isa, Dtype::f32));
        ValueType vector{Dtype::f32, width}, wide{Dtype::f64, width}, mask{Dtype::boolean, width};
        build.loop("i", build.index(0), build.index(16), width, [&](ValueId i) {
            ValueId x = build.load(a, vector, {0, {{i, 1}}}), y = build.load(b, vector, {0, {{i, 1}}});
            ValueId less = build.mask(Operation::less, x, y);
            ValueId most = build.mask(Operation::less_equal, x, y);
            ValueId odd = build.mask(Operation::unordered, x, y);
            ValueId wide_less = build.mask(Operation::less, build.define(wide, Operation::convert, {x}),
                                           build.define(wide, Operation::convert, {y}));
            ValueId both = build.same(Operation::bit_or, {build.same(Operation::bit_and, {less, wide_less}), odd});
            ValueId neither = build.same(Operation::bit_not, {build.same(Operation::bit_xor, {most, odd})});
            auto narrow = [&](int64_t n) {
                return build.define({Dtype::i32, 1}, Operation::convert, {build.index(n)});
            };
            ValueId five = build.define({Dtype::i64, 1}, Operation::convert,
                                        {build.same(Operation::minimum, {narrow(5), narrow(9)})});
            ValueId three = build.same(Operation::add, {build.index(3), build.index(0)}); // both widths in one text
            three = build.same(Operation::minimum, {build.same(Operation::minimum, {three, build.index(8)}), five});
            ValueId first = build.define(mask, Operation::lane_mask, {three});
            auto put = [&](int row, ValueId value) { build.store(out, {16 * row, {{i, 1}}}, value); };
            put(0, build.define(vector, Operation::select, {both, x, y}));
            put(1, build.define(vector, Operation::convert, {neither}));
            put(2, build.same(Operation::minimum, {x, y}));
            put(3, build.same(Operation::maximum, {x, y}));
            put(4, build.define(vector, Operation::select, {first, x, y}));
            put(5, build.same(Operation::abs, {build.same(Operation::negate, {x})}));
            ValueId scalar = build.mask(Operation::less, build.index(4), i);
            put(6, build.define(vector, Operation::select, {scalar, x, y}));
            build.store(flags, {0, {{i, 1}}}, build.define({Dtype::u8, width}, Operation::convert, {less}));
        });
        return build.done();
    });
    Values x = numbers(16, 7), y = numbers(16, 8), out_(7 * 16), flags_(16);
    x[1] = NAN, y[2] = NAN, x[3] = y[3] = NAN, x[4] = INFINITY, y[5] = -INFINITY, x[6] = y[6], x[7] = -0.0;
    test.cases.push_back({"masks", {{"mask.a", x}, {"mask.b", y}}, {}, 0});
    for (size_t i = 0; i < 16; ++i) {
        bool less = x[i] < y[i], odd = std::isnan(x[i]) || std::isnan(y[i]);
        out_[i] = less || odd ? x[i] : y[i];
        out_[16 + i] = !((x[i] <= y[i]) ^ odd);
        out_[32 + i] = x[i] < y[i] ? x[i] : y[i];
        out_[48 + i] = x[i] > y[i] ? x[i] : y[i];
        out_[80 + i] = std::fabs(x[i]);
        flags_[i] = less;
        out_[64 + i] = INFINITY; // any: depends on the width
        out_[96 + i] = INFINITY;
    }
    for (size_t i = 0; i < 3; ++i) out_[64 + i] = x[i];
    out_[64 + 3] = y[3];
    for (size_t i = 0; i < 4; ++i) out_[96 + i] = y[i], out_[96 + 12 + i] = x[12 + i];
    test.cases.back().expected = {{"mask.out", out_}, {"mask.flags", flags_}};
}

void expect_conversions(TestModule& test) {
    Values pixel(32), x = numbers(32, 9), scaled_, half_, back_, integer_(7 * 32), wide_(64), roots_(64);
    for (size_t i = 0; i < 32; ++i) pixel[i] = double(1 + i * 8);
    for (size_t i = 0; i < 32; ++i) {
        scaled_.push_back(double(float(pixel[i]) / 255.0f));
        half_.push_back(x[i]); // 8 bits of these numbers suffice to within the tolerance
        back_.push_back(pixel[i] - 1);
        int32_t n = int32_t(float(x[i]) * 100.0f);
        double quotient = std::floor(double(n) / 7);
        float single = float(x[i]);
        int32_t bits = 0;
        std::memcpy(&bits, &single, 4);
        integer_[i] = quotient;
        integer_[32 + i] = n - 7 * quotient;
        integer_[64 + i] = n >> 3;
        integer_[96 + i] = int32_t(uint32_t(n) >> 3);
        integer_[128 + i] = int32_t(uint64_t(uint32_t(n)) * uint32_t(-766435501) >> 32);
        integer_[160 + i] = bits;
        integer_[192 + i] = std::floor(x[i]);
        wide_[i] = n & 15;
        wide_[32 + i] = double(int64_t(n) * (int64_t(1) << 33));
        roots_[i] = std::sqrt(std::fabs(x[i]));
        roots_[32 + i] = std::floor(x[i]);
    }
    std::map<std::string, Values> exact{{"convert.scaled", scaled_},
                                        {"convert.back", back_},
                                        {"convert.whole", integer_},
                                        {"convert.wide", wide_},
                                        {"convert.roots", roots_}};
    std::map<std::string, Values> inputs{{"convert.pixels", pixel}, {"convert.numbers", x}};
    test.cases.push_back({"conversions", inputs, exact, 0});
    test.cases.push_back({"conversions", inputs, {{"convert.half", half_}}, 0x1p-8});
}

/// u8 pixels to f32 and back, integer arithmetic with floors, shifts, high products, bits, bf16.
void conversions(TestModule& test) {
    Module& module = test.module;
    BufferId pixels = add_buffer(module, "convert.pixels", Dtype::u8, {32}, Role::field);
    BufferId numbers_ = add_buffer(module, "convert.numbers", Dtype::f32, {32}, Role::field);
    BufferId scaled = add_buffer(module, "convert.scaled", Dtype::f32, {32}, Role::output);
    BufferId half = add_buffer(module, "convert.half", Dtype::bf16, {32}, Role::output);
    BufferId back = add_buffer(module, "convert.back", Dtype::u8, {32}, Role::output);
    BufferId integer = add_buffer(module, "convert.whole", Dtype::i32, {7, 32}, Role::output);
    BufferId wide = add_buffer(module, "convert.wide", Dtype::i64, {2, 32}, Role::output);
    BufferId roots = add_buffer(module, "convert.roots", Dtype::f64, {2, 32}, Role::output);
    add(test, "conversions", [=](Isa isa) {
        KernelBuilder build("convert", {});
        int width = std::min(8, lanes(isa, Dtype::f32));
        ValueType f32{Dtype::f32, width}, i32{Dtype::i32, width}, i64{Dtype::i64, width};
        ValueType f64{Dtype::f64, width}, u8{Dtype::u8, width}, bf16{Dtype::bf16, width};
        build.loop("i", build.index(0), build.index(32), width, [&](ValueId i) {
            auto put = [&](BufferId buffer, int row, ValueId value) {
                build.store(buffer, {32 * row, {{i, 1}}}, value);
            };
            ValueId pixel = build.load(pixels, u8, {0, {{i, 1}}});
            ValueId x = build.load(numbers_, f32, {0, {{i, 1}}});
            ValueId p = build.define(f32, Operation::convert, {pixel});
            put(scaled, 0, build.same(Operation::divide, {p, build.number(f32, 255)}));
            put(half, 0, build.define(bf16, Operation::convert, {x}));
            put(back, 0,
                build.define(u8, Operation::convert, {build.same(Operation::add, {p, build.number(f32, -1)})}));
            ValueId hundred = build.same(Operation::multiply, {x, build.number(f32, 100)});
            ValueId n = build.define(i32, Operation::convert, {hundred});
            ValueId seven = build.number(i32, 7), three = build.number(i32, 3);
            put(integer, 0, build.same(Operation::quotient, {n, seven}));
            put(integer, 1, build.same(Operation::remainder, {n, seven}));
            put(integer, 2, build.same(Operation::shift_right, {n, three}));
            put(integer, 3, build.same(Operation::shift_right_logical, {n, three}));
            put(integer, 4, build.same(Operation::multiply_high, {n, build.number(i32, -766435501)}));
            put(integer, 5, build.define(i32, Operation::reinterpret, {x}));
            put(integer, 6, build.define(i32, Operation::convert, {build.same(Operation::floor, {x})}));
            ValueId long_n = build.define(i64, Operation::convert, {n});
            put(wide, 0, build.same(Operation::remainder, {long_n, build.number(i64, 16)}));
            put(wide, 1, build.same(Operation::shift_left, {long_n, build.number(i64, 33)}));
            ValueId y = build.define(f64, Operation::convert, {x});
            put(roots, 0, build.same(Operation::sqrt, {build.same(Operation::abs, {y})}));
            put(roots, 1, build.same(Operation::floor, {y}));
        });
        return build.done();
    });
    expect_conversions(test);
}

/// exp by a polynomial and an addition to the exponent's bits.
void exponential(TestModule& test) {
    Module& module = test.module;
    BufferId in = add_buffer(module, "exp.in", Dtype::f32, {64}, Role::field);
    BufferId out = add_buffer(module, "exp.out", Dtype::f32, {64}, Role::output);
    add(test, "exponential", [=](Isa isa) {
        KernelBuilder build("exp", {});
        int width = lanes(isa, Dtype::f32);
        ValueType vector{Dtype::f32, width}, integer{Dtype::i32, width};
        auto number = [&](double value) { return build.number(vector, value); };
        build.loop("i", build.index(0), build.index(64), width, [&](ValueId i) {
            ValueId x = build.load(in, vector, {0, {{i, 1}}});
            ValueId iterations = build.same(Operation::fma, {x, number(1.44269504), number(0.5)});
            iterations = build.same(Operation::floor, {iterations});
            ValueId rest = build.same(Operation::fma, {iterations, number(-0.693359375), x});
            rest = build.same(Operation::fma, {iterations, number(2.12194440e-4), rest});
            ValueId sum = number(1.0 / 5040);
            for (double term : {1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0})
                sum = build.same(Operation::fma, {sum, rest, number(term)});
            ValueId power = build.define(integer, Operation::convert, {iterations});
            power = build.same(Operation::shift_left, {power, build.number(integer, 23)});
            ValueId bits = build.define(integer, Operation::reinterpret, {sum});
            bits = build.same(Operation::add, {bits, power});
            build.store(out, {0, {{i, 1}}}, build.define(vector, Operation::reinterpret, {bits}));
        });
        return build.done();
    });
    Values x = numbers(64, 10), y;
    for (double& value : x) y.push_back(std::exp(value *= 4));
    test.cases.push_back({"exponential", {{"exp.in", x}}, {{"exp.out", y}}, 1e-6});
}

/// a * b + c rounded twice: no backend may contract it. And swapped carried values, a nested loop,
/// insert, extract.
void roundings(TestModule& test) {
    Module& module = test.module;
    BufferId in = add_buffer(module, "round.in", Dtype::f32, {3, 16}, Role::field);
    BufferId out = add_buffer(module, "round.out", Dtype::f32, {16}, Role::output);
    BufferId pair = add_buffer(module, "round.pair", Dtype::f64, {4}, Role::output);
    add(test, "roundings", [=](Isa isa) {
        KernelBuilder build("round", {});
        ValueType vector{Dtype::f32, lanes(isa, Dtype::f32)}, f64{Dtype::f64, 1}, two{Dtype::f64, 2};
        build.loop("i", build.index(0), build.index(16), vector.lanes, [&](ValueId i) {
            ValueId a = build.load(in, vector, {0, {{i, 1}}}), b = build.load(in, vector, {16, {{i, 1}}});
            ValueId c = build.load(in, vector, {32, {{i, 1}}});
            build.store(out, {0, {{i, 1}}}, build.same(Operation::add, {build.same(Operation::multiply, {a, b}), c}));
        });
        // Fibonacci: (x, y) -> (y, x + y), seven times, twice over
        ValueId zero = build.index(0), twice = build.index(2), seven = build.index(7);
        auto both =
            build.carried("j", zero, twice, 1, {build.number(f64, 0), build.number(f64, 1)}, [&](ValueId, auto& outer) {
                return build.carried("k", zero, seven, 1, outer, [&](ValueId, auto& inner) {
                    return std::vector<ValueId>{inner[1], build.same(Operation::add, {inner[0], inner[1]})};
                });
            });
        ValueId joined = build.define(two, Operation::insert_lane, {build.number(two, 0), both[0]}, 0);
        joined = build.define(two, Operation::insert_lane, {joined, both[1]}, 1);
        build.store(pair, {0, {}}, joined);
        build.store(pair, {2, {}}, build.define(f64, Operation::extract, {joined}, 1));
        ValueId large = build.number(f64, 1e30);
        build.store(pair, {3, {}}, build.same(Operation::floor, {build.same(Operation::sqrt, {large})}));
        return build.done();
    });
    Values x = numbers(48, 11), y;
    for (double& value : x) value = double(float(value / 3));
    for (size_t i = 0; i < 16; ++i) {
        volatile float product = float(x[i]) * float(x[16 + i]); // volatile: rounded here
        y.push_back(double(product + float(x[32 + i])));
    }
    test.cases.push_back(
        {"roundings", {{"round.in", x}}, {{"round.out", y}, {"round.pair", {377, 610, 610, 1e15}}}, 0});
}

/// A table with a loop run backwards around two kernels and a guard: out[t] = 10 t + what was
/// counted before.
void table(TestModule& test) {
    Module& module = test.module;
    BufferId count_ = add_buffer(module, "table.count", Dtype::f64, {1}, Role::scratch);
    BufferId out = add_buffer(module, "table.out", Dtype::f64, {4}, Role::output);
    BufferId constants = add_buffer(module, "table.ten", Dtype::f64, {2}, Role::constant);
    module.buffers[constants].values = {10, 1};
    auto& versions = module.programs.emplace_back();
    for (int isa = 0; isa < isa_count; ++isa) {
        ValueType f64{Dtype::f64, 1};
        KernelBuilder clear("clear", {}), one("turn", {});
        clear.store(count_, {}, clear.number(f64, 0));
        ValueId iteration = one.leaf(Operation::counter);
        ValueId ten = one.load(constants, f64, {}), before = one.load(count_, f64, {});
        ValueId late = one.mask(Operation::less, one.index(1), iteration);
        ValueId iteration_number = one.define(f64, Operation::convert, {iteration});
        one.store(out, {0, {{iteration, 1}}}, one.same(Operation::fma, {iteration_number, ten, before}));
        ValueId step = one.load(constants, f64, {1, {}});
        one.branch(
            late, [&] { one.store(count_, {}, one.same(Operation::add, {before, step})); },
            [&] { one.store(count_, {}, one.same(Operation::subtract, {before, step})); });
        Program program;
        program.name = "table";
        program.kernels = {clear.done(), one.done()};
        program.table = {{Step::Kind::kernel, 0, 0, false},
                         {Step::Kind::guard, 0, 0, false},
                         {Step::Kind::loop_begin, 0, 4, true},
                         {Step::Kind::kernel, 1, 0, false},
                         {Step::Kind::loop_end, 0, 0, false}};
        program.results = {{"count", count_}};
        versions[size_t(isa)] = std::move(program);
    }
    test.cases.push_back({"table", {}, {{"table.out", {1, 12, 21, 30}}, {"table.count", {0}}}, 0});
}

} // namespace

TestModule test_module() {
    TestModule test;
    test.module.name = "tests";
    test.module.batch = 9;
    vector_add(test);
    reduction(test);
    product(test);
    lookups(test);
    masks(test);
    conversions(test);
    exponential(test);
    roundings(test);
    table(test);
    test.metadata.name = "tests";
    test.metadata.flush_denormals = false;
    for (BufferId id = 0; id < test.module.buffers.size(); ++id) {
        const Buffer& buffer = test.module.buffers[id];
        gradc_role role = buffer.role == Role::field ? GRADC_FIELD : GRADC_STATE;
        test.metadata.tensors.push_back({buffer.name, buffer.name, role, id});
    }
    return test;
}

} // namespace gradc::loop
