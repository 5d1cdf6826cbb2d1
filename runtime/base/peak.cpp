// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Twelve accumulators cover latency times throughput of every x86 core. The baseline has no fused multiply-add, so its
// multiplications and additions are counted separately.
#include "runtime/base/peak.h"
#include "runtime/abi.h"
#include "runtime/base/console.h"
#include <algorithm>
#include <cmath>
#include <immintrin.h>

namespace gradc::runtime {

static constexpr long turns = 8'000;
static constexpr int repeats = 4;
static constexpr double sampling = 1e-3; // seconds between samples

// One asm block per iteration keeps all accumulators in registers, and the compiler cannot drop the loop.
// clang-format off
#define GRADC_ALL ".irp r,0,1,2,3,4,5,6,7,8,9,10,11\n"
#define GRADC_LOOP(BODY)                                                                           \
    long left = turns;                                                                             \
    __asm__ volatile(GRADC_ALL "xorps %%xmm\\r, %%xmm\\r\n.endr\n"                                 \
                     "xorps %%xmm14, %%xmm14\nxorps %%xmm15, %%xmm15\n"                            \
                     ".p2align 5\n1:\n" BODY "subq $1, %0\njnz 1b\n"                              \
                     : "+r"(left) :                                                                \
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",     \
                       "xmm9", "xmm10", "xmm11", "xmm14", "xmm15", "cc")
#define GRADC_FUSED(NAME, R) GRADC_ALL NAME " %%" R "14, %%" R "15, %%" R "\\r\n.endr\n"
#define GRADC_APART(MUL, ADD)                                                                      \
    ".irp r,0,2,4,6,8,10\n" MUL " %%xmm14, %%xmm\\r\n.endr\n"                                     \
    ".irp r,1,3,5,7,9,11\n" ADD " %%xmm15, %%xmm\\r\n.endr\n"
// clang-format on

static void multiply_add_sse(bool is_double) {
    if (is_double) {
        GRADC_LOOP(GRADC_APART("mulpd", "addpd"));
    } else {
        GRADC_LOOP(GRADC_APART("mulps", "addps"));
    }
}
__attribute__((target("avx2,fma"))) static void multiply_add_avx2(bool is_double) {
    if (is_double) {
        GRADC_LOOP(GRADC_FUSED("vfmadd231pd", "ymm"));
    } else {
        GRADC_LOOP(GRADC_FUSED("vfmadd231ps", "ymm"));
    }
    _mm256_zeroupper();
}
__attribute__((target("avx512f"))) static void multiply_add_avx512(bool is_double) {
    if (is_double) {
        GRADC_LOOP(GRADC_FUSED("vfmadd231pd", "zmm"));
    } else {
        GRADC_LOOP(GRADC_FUSED("vfmadd231ps", "zmm"));
    }
    _mm256_zeroupper();
}

/// The arena argument of a pool's thread.
struct PeakLoop {
    int isa;
    bool is_double;
};

static void iteration_loop(unsigned char* arena, const int64_t*, const uint32_t*, int64_t, int64_t) {
    const PeakLoop& loop = *reinterpret_cast<const PeakLoop*>(arena);
    if (loop.isa == GRADC_AVX512) {
        multiply_add_avx512(loop.is_double);
    } else if (loop.isa == GRADC_AVX2) {
        multiply_add_avx2(loop.is_double);
    } else {
        multiply_add_sse(loop.is_double);
    }
}

double measure_peak(int isa, bool is_double, ThreadPool* pool) {
    PeakLoop loop{isa, is_double};
    unsigned char* arena = reinterpret_cast<unsigned char*>(&loop);
    int threads = pool ? std::min(pool->count(), ThreadPool::most_parts) : 1;
    double best = 1e30;
    for (int repeat = 0; repeat < repeats; repeat++) {
        double begin = now();
        if (pool) {
            pool->run(iteration_loop, arena, nullptr, nullptr, threads, threads);
        } else {
            iteration_loop(arena, nullptr, nullptr, 0, 1);
        }
        best = std::min(best, now() - begin);
    }
    double lanes = isa == GRADC_AVX512 ? 16 : isa == GRADC_AVX2 ? 8 : 4;
    if (is_double) lanes /= 2;
    double operations = isa == GRADC_BASELINE ? 1 : 2; // of one instruction on one lane
    return double(turns) * double(threads) * 12 * lanes * operations / best;
}

TimesBesidePeak::TimesBesidePeak(int isa, bool is_double, ThreadPool* pool)
    : isa_(isa), is_double_(is_double), pool_(pool), fastest_(HUGE_VAL), recent_(HUGE_VAL),
      rate_(measure_peak(isa, is_double, pool)), taken_(now()) {}

void TimesBesidePeak::add(double seconds) {
    times_.push_back(seconds);
    recent_ = std::min(recent_, seconds);
    if (now() - taken_ >= sampling) sample();
}

void TimesBesidePeak::finish() {
    if (recent_ < HUGE_VAL) sample();
}

void TimesBesidePeak::sample() {
    double rate = measure_peak(isa_, is_double_, pool_);
    if (recent_ < fastest_) {
        fastest_ = recent_;
        peak_ = std::max(rate_, rate);
    }
    rate_ = rate;
    recent_ = HUGE_VAL;
    taken_ = now();
}

double TimesBesidePeak::median() const {
    std::vector<double> times = times_;
    std::nth_element(times.begin(), times.begin() + int64_t(times.size() / 2), times.end());
    return times[times.size() / 2];
}

} // namespace gradc::runtime
