// See peak.h. Ten to sixteen accumulators cover latency times throughput of every x86 core; the baseline has no fused
// multiply-add, its multiplications and additions are counted one by one.
#include "runtime/peak.h"
#include "runtime/abi.h"
#include "runtime/console.h"
#include <algorithm>
#include <immintrin.h>

namespace gradc::runtime {

static constexpr long turns = 200'000;

// One asm block a turn keeps all accumulators in registers and the compiler from dropping the loop.
#define GRADC_TWELVE(OP, R) \
    OP " %%" R "14, %%" R "15, %%" R "0\n" OP " %%" R "14, %%" R "15, %%" R "1\n" OP " %%" R "14, %%" R "15, %%" R "2\n" \
    OP " %%" R "14, %%" R "15, %%" R "3\n" OP " %%" R "14, %%" R "15, %%" R "4\n" OP " %%" R "14, %%" R "15, %%" R "5\n" \
    OP " %%" R "14, %%" R "15, %%" R "6\n" OP " %%" R "14, %%" R "15, %%" R "7\n" OP " %%" R "14, %%" R "15, %%" R "8\n" \
    OP " %%" R "14, %%" R "15, %%" R "9\n" OP " %%" R "14, %%" R "15, %%" R "10\n" OP " %%" R "14, %%" R "15, %%" R "11\n"
#define GRADC_TWELVE_SSE(MUL, ADD) \
    MUL " %%xmm14, %%xmm0\n" ADD " %%xmm15, %%xmm1\n" MUL " %%xmm14, %%xmm2\n" ADD " %%xmm15, %%xmm3\n" \
    MUL " %%xmm14, %%xmm4\n" ADD " %%xmm15, %%xmm5\n" MUL " %%xmm14, %%xmm6\n" ADD " %%xmm15, %%xmm7\n" \
    MUL " %%xmm14, %%xmm8\n" ADD " %%xmm15, %%xmm9\n" MUL " %%xmm14, %%xmm10\n" ADD " %%xmm15, %%xmm11\n"
#define GRADC_CLOBBERS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm14", "xmm15"
#define GRADC_CLEAR "xorps %%xmm0, %%xmm0\nxorps %%xmm1, %%xmm1\nxorps %%xmm2, %%xmm2\nxorps %%xmm3, %%xmm3\n" \
    "xorps %%xmm4, %%xmm4\nxorps %%xmm5, %%xmm5\nxorps %%xmm6, %%xmm6\nxorps %%xmm7, %%xmm7\nxorps %%xmm8, %%xmm8\n" \
    "xorps %%xmm9, %%xmm9\nxorps %%xmm10, %%xmm10\nxorps %%xmm11, %%xmm11\nxorps %%xmm14, %%xmm14\nxorps %%xmm15, %%xmm15\n"
#define GRADC_LOOP(BODY) \
    long left = turns; \
    __asm__ volatile(GRADC_CLEAR ".p2align 5\n1:\n" BODY "subq $1, %0\njnz 1b\n" : "+r"(left) : : GRADC_CLOBBERS, "cc")

static void multiply_add_sse(bool is_double) {
    if (is_double) {
        GRADC_LOOP(GRADC_TWELVE_SSE("mulpd", "addpd"));
    } else {
        GRADC_LOOP(GRADC_TWELVE_SSE("mulps", "addps"));
    }
}
__attribute__((target("avx2,fma"))) static void multiply_add_avx2(bool is_double) {
    if (is_double) {
        GRADC_LOOP(GRADC_TWELVE("vfmadd231pd", "ymm") "");
    } else {
        GRADC_LOOP(GRADC_TWELVE("vfmadd231ps", "ymm") "");
    }
    _mm256_zeroupper();
}
__attribute__((target("avx512f"))) static void multiply_add_avx512(bool is_double) {
    if (is_double) {
        GRADC_LOOP(GRADC_TWELVE("vfmadd231pd", "zmm") "");
    } else {
        GRADC_LOOP(GRADC_TWELVE("vfmadd231ps", "zmm") "");
    }
    _mm256_zeroupper();
}

double measure_peak(int isa, bool is_double) {
    double best = 1e30;
    for (int repeat = 0; repeat < 30; repeat++) {
        double begin = now();
        if (isa == GRADC_AVX512) {
            multiply_add_avx512(is_double);
        } else if (isa == GRADC_AVX2) {
            multiply_add_avx2(is_double);
        } else {
            multiply_add_sse(is_double);
        }
        best = std::min(best, now() - begin);
    }
    double lanes = isa == GRADC_AVX512 ? 16 : isa == GRADC_AVX2 ? 8 : 4;
    if (is_double) lanes /= 2;
    double operations = isa == GRADC_BASELINE ? 1 : 2; // of one instruction on one lane
    return double(turns) * 12 * lanes * operations / best;
}

} // namespace gradc::runtime
