// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CPUID and XGETBV. AVX2 means x86-64-v3, AVX-512 means x86-64-v4, as for compilers.
#include "runtime/base/isa.h"
#include "runtime/base/text.h"
#include <cpuid.h>
#include <xmmintrin.h>

namespace gradc::runtime {

const char* isa_name(int isa) {
    static constexpr const char* names[] = {"baseline", "avx2", "avx512"};
    return names[isa];
}

const char* arithmetic_name(int isa) { return isa == GRADC_BASELINE ? "baseline" : "fma"; }

/// The registers that the system saves: bit 1 SSE, 2 AVX, 5..7 AVX-512.
static uint32_t saved_state() {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

bool cpu_has(int isa) {
    if (isa == GRADC_BASELINE) return true;
    unsigned a, b, c, d, a7, b7, c7, d7, a8, b8, c8, d8;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !__get_cpuid_count(7, 0, &a7, &b7, &c7, &d7)) return false;
    if (!__get_cpuid(0x80000001, &a8, &b8, &c8, &d8)) return false;
    const unsigned leaf_1 = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C;
    if ((c & leaf_1) != leaf_1 || !(c8 & bit_LZCNT)) return false;
    const unsigned version_3 = bit_AVX2 | bit_BMI | bit_BMI2;
    const unsigned version_4 = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
    if ((b7 & version_3) != version_3 || (saved_state() & 0x06) != 0x06) return false;
    if (isa == GRADC_AVX2) return true;
    return (b7 & version_4) == version_4 && (saved_state() & 0xE6) == 0xE6;
}

bool module_has(const gradc_module& module, int isa) {
    for (int p = 0; p < module.program_count; p++) {
        for (int k = 0; k < module.programs[p].kernel_count; k++) {
            if (!module.programs[p].kernels[k].code->functions[isa]) return false;
        }
    }
    return true;
}

std::string module_isas(const gradc_module& module) {
    std::string names;
    for (int isa = 0; isa < GRADC_ISA_COUNT; isa++) {
        if (module_has(module, isa)) names += text(names.empty() ? "" : ", ", isa_name(isa));
    }
    return names;
}

int choose_isa(const gradc_module& module, std::string_view wanted, Error& error) {
    int best = -1;
    bool known = wanted.empty();
    for (int isa = 0; isa < GRADC_ISA_COUNT; isa++) {
        if (!wanted.empty() && wanted != isa_name(isa)) continue;
        known = true;
        if (module_has(module, isa) && cpu_has(isa)) best = isa;
        if (wanted.empty() || best >= 0) continue;
        error.set(module_has(module, isa)
                      ? text("--isa ", wanted, ": this CPU does not have it")
                      : text("--isa ", wanted, ": this trainer is built for ", module_isas(module)));
    }
    if (!known) error.fail_as(wrong_usage, "--isa ", wanted, ": expected baseline, avx2 or avx512");
    if (known && best < 0) {
        error.fail("this trainer is built for ", module_isas(module),
                   ", which this CPU does not have; build it with --isa portable");
    }
    return best;
}

// Bit 15 of the control register flushes results to zero, bit 6 treats denormal operands as zero.
FlushDenormals::FlushDenormals(bool wanted) : wanted_(wanted) {
    if (!wanted_) return;
    before_ = _mm_getcsr();
    _mm_setcsr(before_ | 0x8040);
}
FlushDenormals::~FlushDenormals() {
    if (wanted_) _mm_setcsr(before_);
}

} // namespace gradc::runtime
