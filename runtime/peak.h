// The speed of this CPU's multiply-adds: a loop of independent ones in registers.
#pragma once

namespace gradc::runtime {

/// Floating-point operations a second of one thread; `isa` as in gradc_isa, `is_double` for f64.
double measure_peak(int isa, bool is_double);

} // namespace gradc::runtime
