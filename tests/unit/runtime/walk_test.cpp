// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The walker: loops and their iterations, guards, division among threads; the choice of a variant.
#include "runtime/base/isa.h"
#include "runtime/walk.h"
#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <deque>
#include <thread>
#include <xmmintrin.h>

using namespace gradc::runtime;

namespace {

struct Log {
    int64_t count;
    int64_t entries[100];
    double loss;
};

void note(unsigned char* arena, const int64_t* sizes, const uint32_t*, int64_t, int64_t) {
    Log& log = *reinterpret_cast<Log*>(arena);
    log.entries[log.count++] = sizes[0] * 10000 + sizes[1] * 100 + sizes[2];
}
void mark_range(unsigned char* arena, const int64_t*, const uint32_t*, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) __atomic_fetch_add(arena + i, 1, __ATOMIC_RELAXED);
}
void half_of_least(unsigned char* arena, const int64_t*, const uint32_t*, int64_t, int64_t) {
    volatile float least = 0x1p-126f;
    volatile float half = least * 0.5f;
    float result = half;
    memcpy(arena, &result, 4);
}

std::deque<gradc_code> codes; // of all kernels so far

gradc_kernel kernel_of(gradc_function function, int64_t fixed, int64_t per_row, int64_t divisor, int64_t grain) {
    codes.push_back({{function, nullptr, nullptr}, {{fixed, per_row, divisor, grain}, {}, {}}, 0, 0});
    return {"k", &codes.back(), nullptr, 0};
}

} // namespace

TEST_CASE("loops count up, down and inside each other") {
    gradc_kernel kernels[] = {kernel_of(note, 1, 0, 1, 0)};
    gradc_step table[] = {{GRADC_LOOP_BEGIN, 0, 3, 1},
                          {GRADC_LOOP_BEGIN, 0, 2, 0},
                          {GRADC_KERNEL, 0, 0, 0},
                          {GRADC_LOOP_END, 0, 0, 0},
                          {GRADC_LOOP_END, 0, 0, 0}};
    gradc_program program{"p", kernels, table, 1, 5, nullptr, 0, 0, nullptr, 0, {}, 0};
    gradc_module module{};
    Log log{};
    CHECK(walk(module, program, reinterpret_cast<unsigned char*>(&log), 7, {}) == Walk::finished);
    REQUIRE(log.count == 6);
    const int64_t expected[] = {70200, 70201, 70100, 70101, 70000, 70001};
    for (int i = 0; i < 6; i++) CHECK(log.entries[i] == expected[i]);
}

TEST_CASE("a guard skips the entries after it") {
    static constexpr int64_t none[1] = {};
    gradc_kernel kernels[] = {kernel_of(note, 1, 0, 1, 0)};
    gradc_step table[] = {{GRADC_KERNEL, 0, 0, 0}, {GRADC_GUARD, 0, 0, 0}, {GRADC_KERNEL, 0, 0, 0}};
    gradc_tensor loss{"loss", "", GRADC_F64, GRADC_RESULT, 0, 0, none, none, int64_t(offsetof(Log, loss)), 0};
    int32_t results[] = {0};
    gradc_program program{"p", kernels, table, 1, 3, results, 1, 0, nullptr, 0, {}, 0};
    gradc_module module{};
    module.tensors = &loss;
    for (double value : {1.0, double(NAN), double(INFINITY), -double(INFINITY)}) {
        for (bool guard : {true, false}) {
            Log log{};
            log.loss = value;
            WalkOptions options;
            options.guard = guard;
            Walk walked = walk(module, program, reinterpret_cast<unsigned char*>(&log), 1, options);
            bool stops = guard && !std::isfinite(value);
            CHECK(walked == (stops ? Walk::stopped : Walk::finished));
            CHECK(log.count == (stops ? 1 : 2));
        }
    }
}

TEST_CASE("threads share every kernel's extent exactly once") {
    gradc_module module{};
    for (int threads : {1, 2, 3, 7}) {
        ThreadPool pool(threads, false);
        WalkOptions options;
        options.pool = &pool;
        for (int64_t rows : {1, 2, 5, 64, 1000}) {
            gradc_kernel kernels[] = {kernel_of(mark_range, 3, 2, 4, 1), kernel_of(mark_range, 5, 0, 1, 0),
                                      kernel_of(mark_range, 0, 1, 1, 4)};
            gradc_step table[] = {{GRADC_LOOP_BEGIN, 0, 20, 0},
                                  {GRADC_KERNEL, 0, 0, 0},
                                  {GRADC_KERNEL, 1, 0, 0},
                                  {GRADC_KERNEL, 2, 0, 0},
                                  {GRADC_LOOP_END, 0, 0, 0}};
            gradc_program program{"p", kernels, table, 3, 5, nullptr, 0, 0, nullptr, 0, {}, 0};
            std::vector<unsigned char> arena(4096);
            walk(module, program, arena.data(), rows, options);
            int64_t first = 3 + (rows * 2 + 3) / 4;
            for (int64_t i = 0; i < 4096; i++) {
                int expected = 20 * ((i < first) + (i < 5) + (i < rows));
                REQUIRE(arena[size_t(i)] == expected);
            }
        }
    }
}

TEST_CASE("a pool sleeps and wakes") {
    ThreadPool pool(3, false);
    std::vector<unsigned char> arena(300);
    for (int turn = 0; turn < 20; turn++) {
        if (turn % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        pool.run(mark_range, arena.data(), nullptr, nullptr, 300, 3);
    }
    for (unsigned char byte : arena) REQUIRE(byte == 20);
}

TEST_CASE("denormals are flushed inside a walk only, on every thread") {
    gradc_module module{};
    gradc_kernel kernels[] = {kernel_of(half_of_least, 1, 0, 1, 0)};
    gradc_step table[] = {{GRADC_KERNEL, 0, 0, 0}};
    gradc_program program{"p", kernels, table, 1, 1, nullptr, 0, 0, nullptr, 0, {}, 0};
    alignas(8) unsigned char arena[8];
    auto result = [&] {
        float number;
        memcpy(&number, arena, 4);
        return number;
    };
    WalkOptions options;
    walk(module, program, arena, 1, options);
    CHECK(result() == 0x1p-127f);
    options.flush_denormals = true;
    unsigned before = _mm_getcsr();
    walk(module, program, arena, 1, options);
    CHECK(result() == 0);
    CHECK((_mm_getcsr() & 0x8040) == (before & 0x8040));
}

TEST_CASE("the variant is one that module and CPU both have") {
    gradc_kernel kernels[] = {kernel_of(note, 1, 0, 1, 0)};
    gradc_program program{"p", kernels, nullptr, 1, 0, nullptr, 0, 0, nullptr, 0, {}, 0};
    gradc_module module{};
    module.programs = &program;
    module.program_count = 1;
    auto choose = [&](std::string_view wanted, int& isa) {
        Error error;
        isa = choose_isa(module, wanted, error);
        CHECK((isa < 0) == bool(error));
        return error.message;
    };
    int isa;
    CHECK(choose("", isa) == "");
    CHECK(isa == GRADC_BASELINE);
    CHECK(choose("avx2", isa) == "--isa avx2: this trainer is built for baseline");
    CHECK(choose("sse9", isa) == "--isa sse9: expected baseline, avx2 or avx512");
    codes.back().functions[GRADC_AVX512] = note;
    CHECK(choose("", isa) == "");
    CHECK(isa == (cpu_has(GRADC_AVX512) ? GRADC_AVX512 : GRADC_BASELINE));
    CHECK(choose("baseline", isa) == "");
    CHECK(isa == GRADC_BASELINE);
    codes.back().functions[GRADC_BASELINE] = nullptr;
    std::string message = choose("", isa);
    CHECK(message == (cpu_has(GRADC_AVX512) ? ""
                                            : "this trainer is built for avx512, which this CPU "
                                              "does not have; build it with --isa portable"));
    codes.back().functions[GRADC_AVX512] = nullptr;
    CHECK(choose("", isa) == "this trainer is built for , which this CPU does not have; build it with --isa portable");
}
