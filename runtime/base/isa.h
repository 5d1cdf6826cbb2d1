// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The instruction sets that this CPU can run. This file is compiled for the baseline, because it runs before any vector
// instruction.
#pragma once
#include "runtime/abi.h"
#include "runtime/base/error.h"
#include <string>
#include <string_view>

namespace gradc::runtime {

const char* isa_name(int isa); // "baseline", "avx2", "avx512"
/// What decides the bits of a run: "fma" on every instruction set with fused multiply-add, else "baseline".
const char* arithmetic_name(int isa);
bool cpu_has(int isa);
/// Every kernel of every program was built for `isa`.
bool module_has(const gradc_module& module, int isa);
std::string module_isas(const gradc_module& module); // "baseline, avx2"
/// The best instruction set that module and CPU share, or the one named by `wanted` ("": none); -1 and an error
/// otherwise.
int choose_isa(const gradc_module& module, std::string_view wanted, Error& error);

/// While it lives, denormal f32 operands and results count as zero on this thread, if `wanted`.
class FlushDenormals {
public:
    explicit FlushDenormals(bool wanted);
    ~FlushDenormals();
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
    unsigned before_ = 0;
    bool wanted_;
};

} // namespace gradc::runtime
