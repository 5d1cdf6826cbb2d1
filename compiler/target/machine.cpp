// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Register counts leave one register for the broadcast operand: rows * vectors + vectors + 1 <=
// registers.
#include "compiler/target/machine.h"

namespace gradc::target {

using loop::Isa;

const Machine& machine(Isa isa) {
    static constexpr Machine machines[] = {
        {Isa::baseline, "baseline", "x86-64", "", 16, 16, false, false, 4, 2},
        {Isa::avx2, "avx2", "x86-64-v3", "avx2,fma,bmi,bmi2,f16c,lzcnt,popcnt", 32, 16, true, true, 6, 2},
        {Isa::avx512, "avx512", "x86-64-v4",
         "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,bmi,bmi2,f16c,lzcnt,popcnt", 64, 32, true, true, 8, 3},
    };
    return machines[size_t(isa)];
}

bool host_has(Isa isa) {
    // The compiler's checks ask cpuid and, for the wide registers, whether the system saves them.
    __builtin_cpu_init();
    switch (isa) {
    case Isa::baseline: return true;
    case Isa::avx2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    case Isa::avx512:
        return host_has(Isa::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    }
    return false;
}

std::vector<Isa> host_isas() {
    std::vector<Isa> present;
    for (Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
        if (host_has(isa)) present.push_back(isa);
    return present;
}

bool estimates_roots(const Machine& machine, Dtype dtype, int lanes) {
    return machine.isa == Isa::avx512 && dtype == Dtype::f32 && lanes == 16;
}

bool find_isa(std::string_view name, Isa& isa) {
    for (Isa candidate : {Isa::baseline, Isa::avx2, Isa::avx512})
        if (machine(candidate).name == name) {
            isa = candidate;
            return true;
        }
    return false;
}

} // namespace gradc::target
